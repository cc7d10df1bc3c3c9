import { defineConfig } from '@playwright/test'

/**
 * The browser's own address bar is a page too, two to each window, and costs more than ours. The rest is what Playwright
 * turns off by itself, which naming any feature here replaces.
 */
const OFF = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'AimEnabled',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'ThirdPartyStoragePartitioning',
]

/** Against a running stack: `make up`, then `npm run e2e`. */
export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  timeout: 120_000,
  expect: { timeout: 20_000 },
  fullyParallel: true,
  workers: Number(process.env.SYNCTALK_E2E_WORKERS ?? 2),
  retries: 0,
  forbidOnly: true,
  reporter: [['list']],
  projects: [
    { name: 'users', testIgnore: '**/*.*.spec.ts' },
    { name: 'faults', testMatch: '**/*.faults.spec.ts', dependencies: ['users'] },
    { name: 'expiry', testMatch: '**/*.expiry.spec.ts' },
    { name: 'pictures', testMatch: '**/*.pictures.spec.ts' },
  ],
  use: {
    baseURL: process.env.SYNCTALK_URL ?? 'http://localhost:8080',
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    // It would answer what a test keeps back on its way; the tests of the worker itself allow it.
    serviceWorkers: 'block',
    // Recording costs as much as the test: SYNCTALK_E2E_TRACE=on for a look at what fails.
    actionTimeout: 20_000,
    trace: process.env.SYNCTALK_E2E_TRACE === 'on' ? 'retain-on-failure' : 'off',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        `--disable-features=${OFF.join(',')}`,
      ],
    },
  },
})
