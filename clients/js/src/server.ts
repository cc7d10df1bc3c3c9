/** What a backend does with its server key, and how it verifies webhooks. */
export { external, type GroupFields } from './server/conversations.js'
export type { BatchedMessage, ServerMessageOptions } from './server/messages.js'
export type * from './server/models.js'
export { Server, type FeedOptions, type UserFields, type WebhookChange } from './server/server.js'
export { verified, WebhookError, type RequestHeaders } from './server/webhooks.js'
export { CallError, hasCode, isPassing } from './errors.js'
