import jsxA11y from 'eslint-plugin-jsx-a11y'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

/** Where module-level state would be shared by every session: it belongs into a class that a session owns. */
const TOP = ':matches(Program, Program > ExportNamedDeclaration) >'
const STATE = 'State belongs to an instance that a session owns, not to the module.'
const NO_MODULE_STATE = [
  `${TOP} VariableDeclaration[kind=/^(let|var)$/]`,
  // A Map or Set is state unless its type says that it is not written to.
  `${TOP} VariableDeclaration > VariableDeclarator[id.typeAnnotation.typeAnnotation.typeName.name!=/^Readonly(Map|Set)$/] > NewExpression[callee.name=/^((Weak)?(Map|Set)|AbortController|BroadcastChannel|EventTarget)$/]`,
  `${TOP} VariableDeclaration > VariableDeclarator > CallExpression[callee.name=/^(create|createStore|setTimeout|setInterval|freshId)$/]`,
  `${TOP} VariableDeclaration > VariableDeclarator > :matches(ArrayExpression[elements.length=0], ObjectExpression[properties.length=0])`,
  // Importing a module does nothing.
  'Program > ExpressionStatement:not([directive])',
].map((selector) => ({ selector, message: STATE }))

export default tseslint.config(
  { ignores: ['dist', 'dist.next', 'dist.old', 'src/contracts', 'test-results', 'playwright-report'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks, 'jsx-a11y': jsxA11y },
    rules: {
      ...reactHooks.configs['recommended-latest'].rules,
      ...jsxA11y.configs.recommended.rules,
      // Only the React compiler, which is not used here, minds virtual lists.
      'react-hooks/incompatible-library': 'off',
      // What scrolls by itself, and what can be moved, must be reachable by keys.
      'jsx-a11y/no-noninteractive-tabindex': ['error', { tags: ['pre'], roles: ['log', 'separator'] }],
      'jsx-a11y/no-noninteractive-element-interactions': 'off',
    },
  },
  {
    files: ['src/lib/**/*.ts'],
    ignores: ['src/lib/**/*.test.ts', 'src/lib/live/fakeServer.ts'],
    rules: { 'no-restricted-syntax': ['error', ...NO_MODULE_STATE] },
  },
  { files: ['**/*.{js,mjs}'], ...tseslint.configs.disableTypeChecked },
  { files: ['scripts/**'], rules: { 'no-console': 'off' } },
)
