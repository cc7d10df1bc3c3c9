/** What holds for all TypeScript here; each workspace adds its own. */
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

/** Rules for modules below every view. */
export const withoutModuleState = { 'no-restricted-syntax': ['error', ...NO_MODULE_STATE] }

/** `root`: the folder of the workspace's `tsconfig.json`. */
export const base = (root) => [
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
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
  { files: ['**/*.{js,mjs}'], ...tseslint.configs.disableTypeChecked },
  { files: ['scripts/**'], rules: { 'no-console': 'off' } },
]
