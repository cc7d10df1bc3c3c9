/** Which numbers of a sequence 1, 2, 3 … were seen: everything up to `upTo`, and single numbers ahead of it. */
export class Progress {
  private readonly ahead = new Set<number>()

  constructor(public upTo = 0) {}

  has(number: number): boolean {
    return number <= this.upTo || this.ahead.has(number)
  }

  add(number: number): void {
    if (number > this.upTo) this.ahead.add(number)
    while (this.ahead.delete(this.upTo + 1)) this.upTo += 1
  }
}
