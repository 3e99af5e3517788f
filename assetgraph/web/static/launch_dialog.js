// The dialog that starts a run: the plan with its reasons, the config, tags and execution options.

import {address, runPage, write} from './api.js';
import {ConfigForm} from './config_form.js';
import {h, icon, patch, withCode} from './dom.js';
import {duration, plural, runName} from './format.js';
import {PartitionChoice} from './partition_choice.js';
import {EXECUTORS} from './states.js';
import {complain, toast} from './toast.js';

const PAUSE_MS = 250;
const CAUSES = {requested: ['requested', 'missing'], missing: ['has no value yet', 'stale'], stale: ['stale', 'stale']};

/**
 * Opens the dialog for `selection` (texts of the selection language), or for all stale assets; with
 * `partition`, for that one, and with `chosen`, for what the bar of partitions told of a place.
 */
export function openLaunch({selection, stale = false, partition = null, chosen = null}) {
  new LaunchDialog(selection, stale, {partition, chosen}).open();
}

class LaunchDialog {
  constructor(selection, stale, given) {
    this.selection = selection;
    this.stale = stale;
    this.partitions = new PartitionChoice({...given, stale, changed: (soon) => (soon ? this.replan() : this.choose(this.stale))});
    this.plan = null;
    this.error = null; // why the server rejects the request
    this.refusal = null; // why the last launch started no run
    this.starting = false;
    this.tags = [['', '']];
    this.executor = '';
    this.jobs = '';
    this.config = new ConfigForm({changed: () => this.replan(), redraw: () => this.draw()});
    this.timer = 0;
    this.asked = 0;
    this.closed = new AbortController();
    this.dialog = h('dialog', {class: 'launch', 'aria-labelledby': 'launch-title', onclose: () => this.close()});
  }

  open() {
    document.body.append(this.dialog);
    document.addEventListener('definitions-loaded', () => this.error && this.ask(), {signal: this.closed.signal});
    this.draw();
    this.dialog.showModal();
    this.begin();
  }

  close() {
    this.closed.abort();
    this.dialog.remove();
  }

  /** Which partitions are meant is known before the first plan. */
  async begin() {
    await this.partitions.load(this.selection);
    this.ask();
  }

  get wanted() {
    const tags = Object.fromEntries(this.tags.map(([name, value]) => [name.trim(), value.trim()]).filter(([name]) => name));
    return {
      selection: this.selection,
      ...(this.partitions.needed ? this.partitions.wanted : {stale: this.stale}),
      ...this.config.given,
      tags,
      executor: this.executor || null,
      jobs: this.jobs ? Number(this.jobs) : null,
    };
  }

  /** Asks for a new plan after an edit. Only an edit clears the refusal: a plan may arrive late. */
  replan() {
    this.refusal = null;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE_MS);
  }

  async ask() {
    const number = (this.asked += 1);
    const {tags, executor, jobs, ...wanted} = this.wanted;
    try {
      const plan = await write(address('plan'), wanted);
      if (number !== this.asked) return;
      this.plan = plan;
      this.error = null;
      this.config.takes(plan.config_fields);
    } catch (error) {
      if (number !== this.asked) return;
      this.error = error;
    }
    this.draw();
    if (number === 1) this.dialog.querySelector('.button-main')?.focus();
  }

  async start() {
    this.starting = true;
    this.refusal = null;
    this.draw();
    try {
      const {run_id: runId, message} = await write(address('runs'), this.wanted);
      this.dialog.close();
      if (runId) {
        const link = h('a', {class: 'link nowrap', href: runPage(runId)}, runName(runId));
        if (!document.querySelector(`[data-key="${CSS.escape(runId)}"]`)) toast('running', ['Launched run ', link], {key: runId});
      } else {
        toast('fresh', [message || 'The run is starting.']);
      }
    } catch (error) {
      this.starting = false;
      this.refusal = error;
      if (this.dialog.open) this.draw();
      else complain(error);
    }
  }

  draw() {
    patch(this.dialog, [this.head(), h('form', {class: 'launch-form', id: 'launch-form', onsubmit: (event) => this.submit(event)}, this.body()), this.foot()]);
  }

  submit(event) {
    event.preventDefault();
    if (this.ready) this.start();
  }

  get ready() {
    return this.plan?.step_count > 0 && !this.starting && !this.error && !this.missing.length;
  }

  /** The required config fields that are still missing, one sentence for each asset. */
  get missing() {
    return Object.entries(this.plan?.config_missing ?? {}).map(([key, fields]) => `${key} needs ${fields.join(', ')}.`);
  }

  head() {
    return h(
      'div',
      {class: 'dialog-head'},
      h('h2', {id: 'launch-title'}, 'Materialize'),
      h('button', {class: 'tool', type: 'button', 'aria-label': 'Close', onclick: () => this.dialog.close()}, icon('close')),
    );
  }

  body() {
    return h(
      'div',
      {class: 'dialog-body stack launch-body'},
      this.scope(),
      problemNote(this.error ?? this.refusal),
      this.missing.length && !this.error ? h('div', {class: 'warning-note', role: 'status', key: 'missing'}, icon('warning', 'icon-small'), h('span', {dir: 'auto'}, 'Fill in the config first: ', this.missing.join(' '))) : null,
      this.steps(),
      this.config.draw(),
      this.options(),
    );
  }

  scope() {
    if (this.partitions.needed) return [this.selection.length ? h('code', {class: 'muted cut', title: this.selection.join(' or '), key: 'scope'}, this.selection.map(readable).join(', ')) : null, this.partitions.draw()];
    if (!this.selection.length) return null;
    const choice = (stale, text, note) =>
      h('button', {type: 'button', 'aria-pressed': String(this.stale === stale), title: note, onclick: () => this.choose(stale)}, text);
    return h(
      'div',
      {class: 'row launch-scope', key: 'scope'},
      h(
        'div',
        {class: 'switch', role: 'group', 'aria-label': 'What to run'},
        choice(false, 'Everything selected', 'Run every selected asset, up to date or not'),
        choice(true, 'Only what is not up to date', 'Run the missing, stale and failed assets of the selection and of its upstream'),
      ),
      h('code', {class: 'muted cut grow', title: this.selection.join(' or ')}, this.selection.map(readable).join(', ')),
    );
  }

  choose(stale) {
    this.stale = stale;
    this.refusal = null;
    this.draw();
    this.ask();
  }

  steps() {
    if (!this.plan) return this.error ? null : h('div', {class: 'plan plan-loading', key: 'loading'}, [70, 55, 62].map((width) => h('span', {class: 'skeleton', style: {width: `${width}%`}})));
    const {groups, group_count: count, warnings} = this.plan;
    if (!groups.length) return this.error ? null : h('div', {class: 'plan-none', key: 'none'}, this.plan.nothing);
    return [
      warnings.map((text) => h('div', {class: 'warning-note', key: text}, icon('warning', 'icon-small'), h('span', {}, text))),
      h(
        'ol',
        {class: 'plan', tabindex: '0', 'aria-label': 'Steps in order', key: 'plan'},
        groups.map(planned),
        count > groups.length ? h('li', {class: 'plan-step muted', key: 'more'}, `and ${plural(count - groups.length, 'more group')}`) : null,
      ),
    ];
  }

  options() {
    return h(
      'details',
      {class: 'launch-options', key: 'options'},
      h('summary', {}, 'Tags and execution'),
      h(
        'div',
        {class: 'stack'},
        this.tags.map(([name, value], index) => this.tagRow(name, value, index)),
        h(
          'div',
          {class: 'row'},
          h(
            'label',
            {class: 'label'},
            'Executor',
            h(
              'select',
              {class: 'field', onchange: (event) => (this.executor = event.target.value)},
              h('option', {value: ''}, 'project default'),
              EXECUTORS.map((name) => h('option', {value: name}, name)),
            ),
          ),
          h(
            'label',
            {class: 'label'},
            'Steps at once',
            h('input', {class: 'field jobs', type: 'number', min: '1', max: '256', placeholder: 'project default', oninput: (event) => (this.jobs = event.target.value)}),
          ),
        ),
      ),
    );
  }

  tagRow(name, value, index) {
    const change = (place) => (event) => {
      this.tags[index][place] = event.target.value;
      if (index === this.tags.length - 1 && event.target.value) {
        this.tags.push(['', '']);
        this.draw();
      }
    };
    return h(
      'div',
      {class: 'row', key: `tag-${index}`},
      h('input', {class: 'field', placeholder: 'tag', 'aria-label': `Name of tag ${index + 1}`, value: name, oninput: change(0)}),
      h('span', {class: 'muted'}, '='),
      h('input', {class: 'field', placeholder: 'value', 'aria-label': `Value of tag ${index + 1}`, value, oninput: change(1)}),
    );
  }

  foot() {
    const count = this.plan?.step_count ?? 0;
    const estimate = count > 1 ? this.plan.estimate_s : null;
    return h(
      'div',
      {class: 'dialog-foot'},
      h('span', {class: 'muted small grow'}, this.plan && !this.error ? plural(count, 'step') + (estimate > 1 ? `, about ${duration(estimate)}` : '') : ''),
      h('button', {class: 'button', type: 'button', onclick: () => this.dialog.close()}, 'Cancel'),
      h(
        'button',
        {class: 'button button-main', type: 'submit', form: 'launch-form', disabled: !this.ready},
        icon('play', 'icon-small'),
        this.starting ? 'Starting …' : 'Materialize',
      ),
    );
  }
}

function problemNote(error) {
  return error ? h('div', {class: 'problem-note', role: 'alert', key: 'error'}, error.message, error.hint ? `\n${error.hint}` : null) : null;
}

/** One step, or several that make partitions of an asset for the same reasons. */
function planned(group) {
  const [text, tone] = CAUSES[group.cause];
  const reasons = group.why.join(' · ');
  const more = group.names.length - 1;
  const last = group.first + group.steps - 1;
  return h(
    'li',
    {class: 'plan-step', key: group.first},
    h('span', {class: 'plan-number muted'}, group.steps > 1 ? `${group.first}–${last}` : String(group.first)),
    h(
      'div',
      {class: 'grow'},
      h(
        'div',
        {class: 'row'},
        h('span', {class: 'strong cut', dir: 'auto', title: group.names.join(', ')}, group.names[0]),
        more ? h('span', {class: 'muted small nowrap'}, `and ${plural(more, 'more range')}`) : null,
        group.count > 1 ? h('span', {class: 'muted small nowrap'}, plural(group.count, 'partition')) : null,
        group.cause === 'requested' ? null : h('span', {class: 'mark pill', data: {state: tone}}, text),
      ),
      group.makes.length ? h('div', {class: 'sub cut', title: group.makes.join(', ')}, `makes ${group.makes.join(', ')}`) : null,
      reasons ? h('div', {class: 'sub plan-reason', title: reasons}, withCode(reasons)) : h('div', {class: 'sub plan-reason'}, 'up to date, but selected'),
    ),
  );
}

function readable(text) {
  return text === '*' ? 'every asset' : text.replace(/^key:"(.*)"$/, '$1');
}
