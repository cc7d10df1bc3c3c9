import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** Check that axe finds nothing in what is shown. */
export async function expectClean(page: Page, view: string): Promise<void> {
  // What is still fading in has other colours than those it will have.
  await page.evaluate(async () => {
    const fading = document
      .getAnimations()
      .filter((each) => each.effect?.getComputedTiming().endTime !== Infinity)
    await Promise.allSettled(fading.map((each) => each.finished))
  })
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join('\n')}`,
  )
  expect(found, view).toEqual([])
}
