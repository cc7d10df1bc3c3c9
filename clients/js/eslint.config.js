import tseslint from 'typescript-eslint'
import { base, withoutModuleState } from '../../eslint.base.js'

export default tseslint.config({ ignores: ['dist', 'src/contracts.ts'] }, ...base(import.meta.dirname), {
  files: ['src/**/*.ts'],
  ignores: ['src/**/*.test.ts', 'src/live/fakeServer.ts'],
  rules: withoutModuleState,
})
