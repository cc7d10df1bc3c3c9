/** Every way a call can fail, REST and socket alike, as one type that the views can show. */
import type { EndReason, ErrorCode, ErrorDetail } from './contracts.js'

/** `network`: no response at all. `timeout`: connected, but no response in time. */
export type FailureCode = ErrorCode | 'network' | 'timeout'

export interface FieldProblem {
  field: string
  message: string
}

export class CallError extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
    readonly details?: unknown,
    readonly retryAfterMs?: number,
  ) {
    super(message)
    this.name = 'CallError'
  }

  static fromDetail(detail: ErrorDetail): CallError {
    const wait = typeof detail.retry_after === 'number' ? detail.retry_after * 1000 : undefined
    return new CallError(detail.code, detail.message, detail.details, wait)
  }

  /** The problems of single fields, when the server named them. */
  get fields(): FieldProblem[] {
    return Array.isArray(this.details) ? (this.details as FieldProblem[]) : []
  }
}

/** The session is over, and no token of it is good any more. `refused`: its refresh token, or a bot's, is not known. */
export class SessionEndedError extends Error {
  constructor(readonly reason: EndReason | 'refused') {
    super(`The session has ended: ${reason}.`)
    this.name = 'SessionEndedError'
  }
}

const PASSING: ReadonlySet<FailureCode> = new Set(['network', 'timeout', 'unavailable', 'rate_limited'])

/** Trying the same again later may help; with every other code it does not. */
export const isPassing = (error: unknown): error is CallError =>
  error instanceof CallError && PASSING.has(error.code)

export const hasCode = (error: unknown, ...codes: FailureCode[]): error is CallError =>
  error instanceof CallError && codes.includes(error.code)

/** Return the error in a response or an ack, if there is one. */
export function detailIn(body: unknown): ErrorDetail | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null
  const { error } = body
  return typeof error === 'object' && error !== null && 'code' in error ? (error as ErrorDetail) : null
}
