// The view of what a run's steps printed.

import {terminalLines} from './ansi.js';
import {address, read} from './api.js';
import {h, kept, patch} from './dom.js';
import {bytes} from './format.js';
import {reached, roving} from './arrow_keys.js';
import {complain} from './toast.js';

const POLL_MS = 1000;
const KEPT_LINES = 5000;
const NEAR_END_PX = 40;
const PART = 65_536;

export class OutputView {
  constructor(runId) {
    this.runId = runId;
    this.outputs = [];
    this.chosen = null;
    this.text = '';
    this.begin = 0;
    this.next = 0;
    this.size = 0;
    this.element = h('div', {class: 'output'});
    this.timer = 0;
  }

  place() {
    return kept(this.element, 'output');
  }

  /** Sets the files that exist; shows the output of the step `preferred` first. */
  update(outputs, preferred, live) {
    this.outputs = outputs;
    this.live = live;
    if (!this.chosen || !outputs.some((one) => same(one, this.chosen))) {
      const of = outputs.filter((one) => one.step === preferred);
      this.chosen = of.find((one) => one.stream === 'err') ?? of[0] ?? outputs[0] ?? null;
      if (this.chosen) this.readEnd();
    }
    this.draw();
  }

  choose(output) {
    this.chosen = output;
    this.readEnd();
  }

  chooseStep(step) {
    const output = this.outputs.find((one) => one.step === step);
    if (output && this.chosen?.step !== step) this.choose(output);
  }

  /** Reads on while the run is in progress and the view is visible. */
  follow() {
    clearTimeout(this.timer);
    if (!this.live) return;
    this.timer = setTimeout(async () => {
      if (this.element.isConnected && !document.hidden) await this.readNew();
      this.follow();
    }, POLL_MS);
  }

  /** Reads new output of the chosen step, and finds steps that printed for the first time. */
  async readNew() {
    try {
      const {data} = await read(address('runs', this.runId, 'outputs'));
      if (data.length !== this.outputs.length) this.update(data, null, this.live);
    } catch (error) {
      complain(error);
      return;
    }
    if (this.chosen) await this.readOn();
  }

  async readEnd() {
    Object.assign(this, {text: '', begin: 0, next: 0, size: 0});
    const part = await this.part({});
    if (part) this.show(part, {text: part.text, begin: part.offset, next: part.next});
  }

  async readOn() {
    const offset = this.next;
    const part = await this.part({offset});
    if (part?.text && this.next === offset) this.show(part, {text: this.text + part.text, next: part.next});
  }

  async readEarlier() {
    const end = this.begin;
    const offset = Math.max(0, end - PART);
    const part = await this.part({offset, limit: end - offset});
    if (part && this.begin === end) this.show(part, {text: part.text + this.text, begin: offset});
  }

  /** A part of the chosen output, or null if the user chose another in the meantime. */
  async part(where) {
    const {step, attempt, stream} = this.chosen;
    const asked = this.chosen;
    try {
      const {data} = await read(`${address('runs', this.runId, 'output')}?${new URLSearchParams({step, attempt, stream, ...where})}`);
      return asked === this.chosen ? data : null;
    } catch (error) {
      complain(error);
      return null;
    }
  }

  show(part, change) {
    const box = this.element.querySelector('.output-text');
    const atEnd = !box || box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
    Object.assign(this, change, {size: part.size});
    this.draw();
    const drawn = this.element.querySelector('.output-text');
    if (atEnd && 'next' in change && drawn) drawn.scrollTop = drawn.scrollHeight;
  }

  draw() {
    if (!this.outputs.length) {
      patch(this.element, h('div', {class: 'empty', key: 'none'}, 'No step printed anything. What an asset prints to stdout or stderr appears here.'));
      return;
    }
    patch(
      this.element,
      h(
        'div',
        {class: 'output-split', key: 'split'},
        h(
          'div',
          {class: 'output-list', role: 'listbox', 'aria-label': 'Outputs', onkeydown: roving('option')},
          this.outputs.map((one) =>
            h(
              'button',
              {class: 'output-item', type: 'button', role: 'option', tabindex: reached(same(one, this.chosen ?? {})), 'aria-selected': String(same(one, this.chosen ?? {})), onclick: () => this.choose(one), key: `${one.step} ${one.attempt} ${one.stream}`},
              h('span', {class: 'cut', dir: 'auto'}, one.step),
              h('span', {class: 'muted small nowrap'}, `${one.stream === 'err' ? 'stderr' : 'stdout'}${one.attempt > 1 ? ` · attempt ${one.attempt}` : ''} · ${bytes(same(one, this.chosen ?? {}) ? this.size || one.size : one.size)}`),
            ),
          ),
        ),
        h(
          'div',
          {class: 'output-text mono', tabindex: '0', role: 'log', 'aria-live': 'off', 'aria-label': 'Output'},
          h('a', {class: 'button button-small output-download', href: `${address('runs', this.runId, 'output.txt')}?${new URLSearchParams({step: this.chosen?.step, attempt: this.chosen?.attempt, stream: this.chosen?.stream})}`, download: '', key: 'download'}, 'Download'),
          this.begin > 0 ? h('button', {class: 'button button-small', type: 'button', onclick: () => this.readEarlier(), key: 'earlier'}, `Earlier output (${bytes(this.begin)})`) : null,
          terminalLines(this.text.replace(/\n$/, '')).slice(-KEPT_LINES),
        ),
      ),
    );
  }
}

function same(a, b) {
  return a.step === b.step && a.attempt === b.attempt && a.stream === b.stream;
}
