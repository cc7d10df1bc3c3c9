import jsxA11y from 'eslint-plugin-jsx-a11y'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'
import { base, withoutModuleState } from '../eslint.base.js'

/** A text that a module keeps would stay in the language in which it was loaded; a section of texts may be kept. */
const KEPT_TEXTS = [
  'MemberExpression[object.name=/^(texts|lazyTexts|t)$/]:not(:function *):not(Program > VariableDeclaration > VariableDeclarator > MemberExpression):not(TSTypeQuery *)',
].map((selector) => ({ selector, message: 'Only a section of texts may be kept by a module, not a text.' }))

/** What is seen or read out comes from lib/text, in each language. */
const SEEN =
  '/^(aria-label|aria-description|aria-roledescription|aria-valuetext|title|placeholder|alt|label|lead|hint|text|question|action)$/'
const LITERAL_TEXTS = [
  'JSXText[value=/\\p{L}/u]',
  `JSXAttribute[name.name=${SEEN}] > Literal[value=/\\p{L}/u]`,
  `JSXAttribute[name.name=${SEEN}] TemplateElement[value.raw=/\\p{L}/u]`,
  `JSXAttribute[name.name=${SEEN}] > JSXExpressionContainer > :matches(Literal[value=/\\p{L}/u], ConditionalExpression > Literal[value=/\\p{L}/u])`,
  'JSXElement > JSXExpressionContainer > :matches(Literal[value=/\\p{L}/u], TemplateLiteral > TemplateElement[value.raw=/\\p{L}/u], ConditionalExpression > Literal[value=/\\p{L}/u], LogicalExpression > Literal[value=/\\p{L}/u])',
].map((selector) => ({ selector, message: 'A visible text belongs into lib/text, in each language.' }))

/** Right to left, all is the other way round by itself: `ms-2`, not `ml-2`. */
const SIDES =
  '/(?:^|[\\s:!-])(?:(?:m|p|scroll-m|scroll-p|border|rounded)[lr](?:-|$)|(?:border|rounded)-[lr](?:-|\\s|$)|rounded-[tb][lr](?:-|\\s|$)|(?:left|right)-(?!\\w+=)|(?:text|float|clear)-(?:left|right)(?:\\s|$))/'
const PHYSICAL = [
  `JSXAttribute[name.name=/[cC]lass(Name)?$/] Literal[value=${SIDES}]`,
  `TemplateElement[value.raw=${SIDES}]`,
].map((selector) => ({
  selector,
  message: 'Use what follows the direction of the text: start and end, not left and right.',
}))

export default tseslint.config(
  { ignores: ['dist', 'dist.next', 'dist.old', 'test-results', 'playwright-report'] },
  ...base(import.meta.dirname),
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
      'no-restricted-syntax': ['error', ...KEPT_TEXTS],
    },
  },
  {
    files: ['src/**/*.tsx'],
    ignores: ['src/**/*.test.tsx'],
    rules: {
      'no-restricted-syntax': ['error', ...KEPT_TEXTS, ...LITERAL_TEXTS, ...PHYSICAL],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          name: 'react',
          importNames: ['memo'],
          message: 'That of lib-react/language lets a change of language pass.',
        },
      ],
    },
  },
  {
    files: ['src/lib/**/*.ts'],
    ignores: ['src/lib/**/*.test.ts', 'src/lib/text/*/*exts.ts'],
    rules: {
      'no-restricted-syntax': [...withoutModuleState['no-restricted-syntax'], ...KEPT_TEXTS],
    },
  },
  // The catalogues themselves.
  { files: ['src/lib/text/*/*exts.ts'], rules: { 'no-restricted-syntax': 'off' } },
)
