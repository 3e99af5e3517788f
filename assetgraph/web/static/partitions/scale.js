// Which partitions along the axis are in view, and where each of them is.

const WIDEST = 120; // pixels of a partition
const FEWEST = 3; // partitions in view

export class Scale {
  /** A partition is at most `widest` pixels wide. */
  constructor(widest = WIDEST) {
    this.widest = widest;
    this.count = 0;
    this.first = 0;
    this.end = 0;
    this.width = 1;
  }

  /** Takes the number of partitions; a view of all of them stays one. */
  resize(count, width) {
    const whole = this.isWhole || !this.end;
    this.count = count;
    this.width = Math.max(1, width);
    if (whole) this.show(0, count);
    else this.show(this.first, this.end);
  }

  get isWhole() {
    return this.first === 0 && this.end >= this.count;
  }

  /** Pixels of one partition. */
  get each() {
    return Math.min(this.widest, this.width / Math.max(1, this.end - this.first));
  }

  /** How many partitions a step of the keyboard is: those of one pixel, at least one. */
  get step() {
    return Math.max(1, Math.ceil(1 / this.each));
  }

  at(number) {
    return (number - this.first) * this.each;
  }

  /** The number of the partition at a place, within what is in view. */
  numberAt(x) {
    return Math.min(this.end - 1, Math.max(this.first, Math.floor(this.first + x / this.each)));
  }

  show(first, end) {
    const size = Math.min(this.count, Math.max(Math.min(FEWEST, this.count), Math.round(end - first)));
    this.first = Math.min(Math.max(0, Math.round(first)), this.count - size);
    this.end = this.first + size;
  }

  /** Zooms by a factor, so that what is at `x` stays there. */
  zoom(factor, x = this.width / 2) {
    const share = Math.min(1, x / (this.each * Math.max(1, this.end - this.first)));
    const kept = this.first + share * (this.end - this.first);
    let size = (this.end - this.first) / factor;
    if (factor > 1) size = Math.min(size, this.end - this.first - 1);
    this.show(kept - share * size, kept - share * size + size);
  }

  move(numbers) {
    this.show(this.first + numbers, this.end + numbers);
  }

  /** Brings a partition into view. */
  reveal(number) {
    if (number < this.first) this.move(number - this.first);
    else if (number >= this.end) this.move(number - this.end + 1);
  }
}
