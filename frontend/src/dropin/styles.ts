/** Beside the frame there is little to style. */
export const STYLES = `
:host { all: initial; }
[hidden] { display: none !important; }
button {
  position: fixed; inset-inline-end: 20px; bottom: 20px; z-index: 2147483000;
  display: grid; place-items: center; width: 56px; height: 56px; padding: 0;
  border: 0; border-radius: 50%; cursor: pointer;
  background: var(--accent, #5148cf); color: var(--accent-text, #fff);
  box-shadow: 0 1px 2px rgb(20 18 40 / .1), 0 8px 28px rgb(20 18 40 / .22);
}
button:focus-visible { outline: 3px solid var(--accent, #6d63ff); outline-offset: 3px; }
.badge {
  position: absolute; top: -4px; inset-inline-end: -4px; box-sizing: border-box; min-width: 22px; height: 22px; padding: 0 6px;
  border-radius: 11px; background: #c22b31; color: #fff; font: 600 12px/22px system-ui, sans-serif; text-align: center;
}
p { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
#panel {
  position: fixed; inset-inline-end: 20px; bottom: 88px; z-index: 2147483000; overflow: hidden;
  width: 384px; height: min(640px, calc(100vh - 108px)); border-radius: 14px;
  background: var(--background, Canvas); box-shadow: 0 1px 2px rgb(20 18 40 / .1), 0 12px 40px rgb(20 18 40 / .28);
}
iframe { display: block; width: 100%; height: 100%; border: 0; }
@media (max-width: 480px) {
  #panel { inset: 0 0 88px; width: auto; height: auto; border-radius: 0; }
}
`
