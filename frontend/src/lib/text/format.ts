/** Dates and times in words, by `Intl`. The time is an argument. */
import { byLocale, number } from './inUse'
import { texts } from './texts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const clock = byLocale((locale) => new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }))
const weekday = byLocale((locale) => new Intl.DateTimeFormat(locale, { weekday: 'long' }))
const shortWeekday = byLocale((locale) => new Intl.DateTimeFormat(locale, { weekday: 'short' }))
const dayMonth = byLocale((locale) => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' }))
const longDay = byLocale(
  (locale) => new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' }),
)
const fullDay = byLocale(
  (locale) => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' }),
)
const full = byLocale((locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' }))
const relative = byLocale((locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))

const startOfDay = (date: Date): number =>
  new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
/** Whole days between, by the calendar: daylight saving makes some days 23 or 25 hours long. */
const daysBetween = (date: Date, now: Date): number => Math.round((startOfDay(now) - startOfDay(date)) / DAY)

export const dayKey = (iso: string): number => startOfDay(new Date(iso))
export const timeOfDay = (iso: string): string => clock().format(new Date(iso))
export const fullTime = (iso: string): string => full().format(new Date(iso))
export const dateInWords = (iso: string): string => fullDay().format(new Date(iso))

/** For day separators: Today, Yesterday, Monday, 3 March, 3 March 2024. */
export function dayInWords(iso: string, now: number): string {
  const date = new Date(iso)
  const today = new Date(now)
  const days = daysBetween(date, today)
  if (days <= 0) return texts.messages.today
  if (days === 1) return texts.messages.yesterday
  if (days < 7) return weekday().format(date)
  return date.getFullYear() === today.getFullYear() ? longDay().format(date) : fullDay().format(date)
}

/** For the list: 14:05, Yesterday, Mon, 3 Mar. */
export function shortTime(iso: string, now: number): string {
  const date = new Date(iso)
  const days = daysBetween(date, new Date(now))
  if (days <= 0) return clock().format(date)
  if (days === 1) return texts.messages.yesterday
  return days < 7 ? shortWeekday().format(date) : dayMonth().format(date)
}

const size = (name: 'byte' | 'kilobyte' | 'megabyte', maximumFractionDigits = 0) =>
  byLocale((locale) => new Intl.NumberFormat(locale, { style: 'unit', unit: name, maximumFractionDigits }))
const bytesIn = size('byte')
const kilobytes = size('kilobyte')
const megabytes = size('megabyte', 1)

/** 340 byte, 12 kB, 3.4 MB. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1000) return bytesIn().format(bytes)
  return bytes < 999_500 ? kilobytes().format(bytes / 1000) : megabytes().format(bytes / 1_000_000)
}

const twoDigits = byLocale((locale) => new Intl.NumberFormat(locale, { minimumIntegerDigits: 2 }))

/** 0:07, 3:45, 1:02:09. */
export function playingTime(seconds: number): string {
  const whole = Math.round(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (n: number): string => twoDigits().format(n)
  return h > 0 ? `${number(h)}:${two(m)}:${two(s)}` : `${number(m)}:${two(s)}`
}

/** As a date field has it, by the user's own calendar: 2026-03-02. */
export function dayForField(date: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** "5 minutes ago". */
export function ago(iso: string, now: number): string {
  const passed = Math.max(0, now - new Date(iso).getTime())
  if (passed < MINUTE) return relative().format(0, 'second')
  if (passed < HOUR) return relative().format(-Math.floor(passed / MINUTE), 'minute')
  if (passed < DAY) return relative().format(-Math.floor(passed / HOUR), 'hour')
  if (passed < 30 * DAY) return relative().format(-Math.floor(passed / DAY), 'day')
  return fullDay().format(new Date(iso))
}

const unit = (name: 'second' | 'minute' | 'hour' | 'day') =>
  byLocale((locale) => new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'long' }))
const seconds = unit('second')
const minutes = unit('minute')
const hours = unit('hour')
const days = unit('day')

/** "30 seconds", "5 minutes", "6 hours": in the largest unit that it fills, rounded up. */
export function durationInWords(s: number): string {
  if (s < 60) return seconds().format(s)
  if (s < 3_600) return minutes().format(Math.ceil(s / 60))
  return s < 86_400 ? hours().format(Math.ceil(s / 3_600)) : days().format(Math.ceil(s / 86_400))
}

const dayAndTime = byLocale(
  (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }),
)
/** "3 Mar 2026, 14:05". */
export const dayAndTimeInWords = (iso: string): string => dayAndTime().format(new Date(iso))
