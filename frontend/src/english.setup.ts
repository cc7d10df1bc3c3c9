/** Before each file of tests: the texts are the English ones. */
import { loading } from './lib/text/loading'

await loading.show({ language: 'en', locale: 'en-GB' })
await loading.loadLazyTexts()
