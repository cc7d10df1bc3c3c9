/** Markdown in messages, and writing it. */
import AxeBuilder from '@axe-core/playwright'
import { expect, test } from './users'

const EVERYTHING = `**bold** _italic_ ~~struck~~ \`code\` and [a link](https://example.com/docs)

- one
- two
  1. deeper

> a quote

| Name | Count |
| :--- | ---: |
| Ada | **12** |

\`\`\`js
const answer = 'forty-two' // a comment
\`\`\`

![a picture](https://elsewhere.example/a.png) and ||the butler|| did it`

for (const theme of ['light', 'dark'] as const) {
  test(`every kind of mark is shown, is accessible and loads nothing from elsewhere: ${theme}`, async ({
    user,
    absent,
  }, info) => {
    const ada = await user('Ada', { colorScheme: theme })
    const ben = await absent('Ben')
    const id = await ada.directWith(ben)
    const elsewhere: string[] = []
    ada.page.on('request', (request) => {
      if (request.url().includes('elsewhere.example')) elsewhere.push(request.url())
    })
    await ada.visit(id)
    await ben.post(id, EVERYTHING)
    const text = ada.message('a quote')
    await expect(text.locator('strong').first()).toHaveText('bold')
    await expect(text.getByRole('listitem')).toHaveCount(3)
    await expect(text.getByRole('cell', { name: '12' })).toBeVisible()
    await expect(text.locator('pre span').first()).toBeVisible()
    await expect(text.locator('img')).toHaveCount(0)
    const picture = text.getByRole('link', { name: 'a picture' })
    await expect(picture).toHaveAttribute('rel', 'noopener noreferrer nofollow')
    await info.attach(theme, { body: await ada.page.screenshot(), contentType: 'image/png' })
    const { violations } = await new AxeBuilder({ page: ada.page }).analyze()
    expect(violations.map(({ id: rule, nodes }) => [rule, nodes.map(({ html }) => html)])).toEqual([])

    // The list says nothing of what is hidden.
    await expect(ada.row('Ben')).not.toContainText('butler')
    const spoiler = text.getByRole('button', { name: 'Show spoiler' })
    await spoiler.focus()
    await ada.page.keyboard.press('Enter')
    await expect(spoiler).toHaveCount(0)
    await expect(text.getByText('the butler')).toBeVisible()
    expect(elsewhere).toEqual([])
  })
}

test('marks are set around what is selected by keys and by the toolbar, and undone', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  await ada.open(await ada.directWith(ben))
  const { composer, page } = ada
  await composer.pressSequentially('hello')
  await composer.press('ControlOrMeta+a')
  await composer.press('ControlOrMeta+b')
  await expect(composer).toHaveValue('**hello**')
  await composer.press('ControlOrMeta+b')
  await expect(composer).toHaveValue('hello')
  await composer.press('ControlOrMeta+Shift+x')
  await expect(composer).toHaveValue('~~hello~~')
  await composer.press('ControlOrMeta+z')
  await expect(composer).toHaveValue('hello')

  await page.getByRole('button', { name: 'Formatting' }).click()
  const bar = page.getByRole('toolbar', { name: 'Formatting' })
  // Icons, each with a name and what it is on hover.
  const buttons = bar.getByRole('button')
  await expect(buttons).toHaveText(Array.from({ length: 8 }, () => ''))
  await expect(bar.locator('button > svg')).toHaveCount(8)
  await expect(bar.getByRole('button', { name: 'Bold' })).toHaveAttribute('title', /^Bold \((?:Ctrl\+|⌘)B\)$/)
  await composer.press('ControlOrMeta+a')
  await bar.getByRole('button', { name: 'Spoiler' }).click()
  await expect(composer).toHaveValue('||hello||')
  await expect(composer).toBeFocused()
  await bar.getByRole('button', { name: 'Quote' }).click()
  await expect(composer).toHaveValue('> ||hello||')
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
  await composer.press('Enter')
  await expect(ada.message('hello').locator('blockquote [data-spoiler]')).toHaveText('hello')
})

test('when the reader of Markdown arrives, the newest message stays in view', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  for (let n = 0; n < 12; n += 1) await ada.post(id, `- **${String(n)}**\n- \`\`\`\nx\n\`\`\`\n\n> said`)
  await ada.post(id, 'the end')
  let arrive = (): void => undefined
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  await ada.page.route('**/assets/Markdown-*.js', async (route) => {
    await arrived
    await route.continue()
  })
  await ada.visit(id)
  await expect(ada.message('the end')).toBeInViewport()
  await expect(ada.history.locator('strong')).toHaveCount(0)
  arrive()
  await expect(ada.history.locator('strong').first()).toBeAttached()
  await expect(ada.message('the end')).toBeInViewport()
})
