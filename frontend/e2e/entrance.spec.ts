/** The ways in beside a password: identity providers and guests. */
import { createAccount, expect, test } from './users'

test('an identity provider is offered where there is one, and leads back to what was wanted', async ({
  page,
}) => {
  await page.route('**/v1/auth/providers', (route) =>
    route.fulfill({
      json: {
        password: true,
        registration: 'closed',
        guests: false,
        items: [{ id: 'example', name: 'Example ID', start_url: '/v1/auth/oidc/example/start' }],
      },
    }),
  )
  await page.goto('/settings')
  const link = page.getByRole('link', { name: 'Continue with Example ID' })
  await expect(link).toHaveAttribute('href', '/v1/auth/oidc/example/start?return_to=%2Fsettings')
  // Where no account can be created, none is offered.
  await expect(page.getByRole('link', { name: 'Create an account' })).toHaveCount(0)
  await expect(page.getByRole('link', { name: 'Continue as a guest' })).toHaveCount(0)
})

test('the code with which a provider leads back becomes a session, at the path that was wanted', async ({
  page,
  request,
}) => {
  const { tokens } = await createAccount(request, 'Ada')
  const codes: unknown[] = []
  await page.route('**/v1/auth/oidc/complete', async (route) => {
    codes.push(route.request().postDataJSON())
    await route.fulfill({ json: tokens })
  })
  await page.goto('/settings#code=one-time-code')
  await expect(page.getByRole('button', { name: /^Ada, / })).toBeVisible()
  await expect(page).toHaveURL(/\/settings$/)
  expect(codes).toEqual([expect.objectContaining({ code: 'one-time-code' })])
})

test('a code that is no good, and a refusal by the provider, are said on the sign-in page', async ({
  page,
}) => {
  await page.goto('/#code=never-given')
  await expect(page.getByRole('alert')).toHaveText('Signing in didn’t work. Try again.')
  await expect(page).toHaveURL(/\/sign-in\?error=failed$/)
  await page.goto('/sign-in?error=access_denied')
  await expect(page.getByRole('alert')).toHaveText('Signing in was cancelled.')
})

test('a guest comes in without an account', async ({ page }) => {
  await page.goto('/sign-in')
  await page.getByRole('link', { name: 'Continue as a guest' }).click()
  await expect(page.getByRole('textbox', { name: 'Your name' })).toBeFocused()
  await page.getByRole('textbox', { name: 'Your name' }).fill('Visitor')
  await page.getByRole('button', { name: 'Continue as a guest' }).click()
  await expect(page.getByRole('button', { name: /^Visitor, / })).toBeVisible()
})
