import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { emojiData } from './scripts/emoji'
import { firstLoad } from './scripts/firstLoad'
import { serviceWorker } from './scripts/worker'
import { fromSources } from './scripts/sources'
import { defineConfig } from 'vitest/config'

/** Where `npm run dev` finds the services; `make up` serves them there. */
const upstream = process.env.SYNCTALK_URL ?? 'http://localhost:8080'
const proxied = { target: upstream, changeOrigin: true }

export default defineConfig({
  plugins: [react(), tailwindcss(), emojiData(), firstLoad(), serviceWorker()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) }, ...fromSources },
  server: {
    port: 5173,
    proxy: {
      '/v1': proxied,
      '/.well-known': proxied,
      '/dev': proxied,
      '/embed/origins': proxied,
      '/socket.io': { ...proxied, ws: true },
    },
  },
  build: {
    target: 'es2022',
    // The page's policy allows no data: scripts or styles; small files stay files.
    assetsInlineLimit: 0,
    manifest: true,
    rolldownOptions: {
      // By name, so that a build of something else replaces them.
      input: { index: 'index.html', embed: 'embed.html' },
      output: {
        codeSplitting: {
          groups: [
            // What every page needs, /embed too, is one file: it compresses better than many.
            {
              name: 'base',
              test: /node_modules\/(react|react-dom|scheduler|react-router|axios|zustand)\/|clients\/js\/src\/(auth|errors|http|timing)|src\/(lib\/(text\/(texts|format)\.ts|chat\/names)|lib-react\/(page|session|lazily|theme|clock|emoji|notifications|toasts)|components\/(Icon|Field|Button|States|Toasts)|app\/(Crash|useEscape))/,
            },
            // The same for what many views of the app need.
            {
              name: 'shared',
              test: /clients\/js\/src\/chat\/(attention|files|summaries)|src\/(lib-react\/chat|lib\/(chat\/excerpts|text\/rich)\.ts|components\/Avatar|features\/messages\/actions)/,
            },
            { name: 'query', test: /node_modules\/@tanstack\/(react-query|query-core)\// },
          ],
        },
      },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['{src,worker}/**/*.test.{ts,tsx}'],
    setupFiles: ['src/english.setup.ts', 'src/reactWarnings.setup.ts'],
    restoreMocks: true,
  },
})
