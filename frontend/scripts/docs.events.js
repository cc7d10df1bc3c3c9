/* global AsyncApiStandalone */
AsyncApiStandalone.render(
  { schema: { url: '/docs/asyncapi.yaml' }, config: { show: { sidebar: true, errors: false } } },
  document.getElementById('viewer'),
)
