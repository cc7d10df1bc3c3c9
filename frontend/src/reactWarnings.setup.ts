/** A test fails where React complains: of two children with one key, of an update outside of `act`. */
import { afterEach, beforeEach, expect, vi, type MockInstance } from 'vitest'

let complaints: MockInstance<typeof console.error>

beforeEach(() => {
  complaints = vi.spyOn(console, 'error')
})

afterEach(() => {
  expect(complaints.mock.calls).toEqual([])
})
