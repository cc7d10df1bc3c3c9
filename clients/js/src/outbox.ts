/** An outbox that outlives a process of Node. */
export { fileOutbox } from './outbox/fileOutbox.js'
