import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** What depends on colours alone: the rest of a view that was checked in the light is the same in the dark. */
export const COLOURS = ['color-contrast', 'link-in-text-block']

/** Check that axe finds nothing in what is shown; `rules` names those to check, by default all. */
export async function expectClean(page: Page, view: string, rules?: string[]): Promise<void> {
  // What is still fading has other colours than those it will have, and the end of one thing may begin the next.
  await page.evaluate(async () => {
    const painted = (): Promise<unknown> =>
      new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    const fading = (): Animation[] =>
      document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime !== Infinity)
    for (await painted(); fading().length > 0; await painted())
      await Promise.allSettled(fading().map((each) => each.finished))
  })
  // Without the page of its own in which it gathers what frames of other origins say: here there are none.
  const axe = new AxeBuilder({ page }).setLegacyMode()
  const { violations } = await (rules === undefined ? axe : axe.withRules(rules)).analyze()
  const found = violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join('\n')}`,
  )
  expect(found, view).toEqual([])
}
