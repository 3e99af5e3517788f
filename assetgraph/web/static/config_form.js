// Config as a form made from each asset's Config class, or as text.

import {h} from './dom.js';

export class ConfigForm {
  /** `changed()` is called when the config changes, `redraw()` when only its look does. */
  constructor({changed, redraw}) {
    this.changed = changed;
    this.redraw = redraw;
    this.fields = {};
    this.values = {};
    this.asText = false;
    this.text = '';
  }

  /** Sets the config fields of the assets in the plan. */
  takes(fields) {
    this.fields = fields;
  }

  /** The config to send: `config` from the form, or `config_text` as the user typed it. */
  get given() {
    if (this.asText) return {config_text: this.text};
    const config = {};
    for (const [key, fields] of Object.entries(this.fields)) {
      for (const field of fields) {
        const value = this.values[key]?.[field.name];
        if (value !== undefined && value !== '') (config[key] ??= {})[field.name] = typed(field, value);
      }
    }
    return {config};
  }

  draw() {
    const assets = Object.entries(this.fields);
    if (!assets.length) return null;
    const choice = (asText, text) =>
      h('button', {type: 'button', 'aria-pressed': String(this.asText === asText), onclick: () => this.choose(asText)}, text);
    return h(
      'section',
      {class: 'config', 'aria-labelledby': 'config-title', key: 'config'},
      h('div', {class: 'row config-head'}, h('h3', {class: 'grow', id: 'config-title'}, 'Config'), h('div', {class: 'switch'}, choice(false, 'Form'), choice(true, 'YAML'))),
      this.asText
        ? h('textarea', {class: 'field', rows: '8', 'aria-label': 'Config as YAML or JSON', spellcheck: 'false', value: this.text, oninput: (event) => this.write(event.target.value), key: 'text'})
        : assets.map(([key, fields]) => this.asset(key, fields)),
    );
  }

  choose(asText) {
    if (asText && !this.asText) this.text = asYaml(this.given.config, this.fields);
    this.asText = asText;
    this.redraw();
    this.changed();
  }

  write(text) {
    this.text = text;
    this.changed();
  }

  asset(key, fields) {
    return h(
      'fieldset',
      {class: 'config-asset', key},
      h('legend', {dir: 'auto'}, key),
      fields.length ? fields.map((field) => this.field(key, field)) : h('p', {class: 'muted small'}, 'This config has no fields.'),
    );
  }

  field(key, field) {
    const id = `config-${key}-${field.name}`;
    const note = [field.required ? 'required' : null, field.description].filter(Boolean).join(': ');
    return h(
      'div',
      {class: 'config-field', key: field.name},
      h('label', {for: id, class: 'mono'}, field.name),
      h('div', {class: 'grow'}, this.input(key, field, id), note ? h('div', {class: 'field-note'}, note) : null),
    );
  }

  input(key, field, id) {
    const value = this.values[key]?.[field.name] ?? '';
    const set = (event) => {
      (this.values[key] ??= {})[field.name] = event.target.value;
      this.changed();
    };
    const shown = field.default === undefined || field.default === null ? '' : plain(field.default);
    if (field.kind === 'choice' || field.kind === 'boolean') {
      const choices = field.kind === 'boolean' ? [true, false] : field.choices;
      return h(
        'select',
        {class: 'field', id, value, onchange: set},
        h('option', {value: ''}, field.required ? 'choose' : `${shown} (default)`),
        choices.map((one) => h('option', {value: JSON.stringify(one), selected: value === JSON.stringify(one)}, plain(one))),
      );
    }
    if (field.kind === 'json') return h('textarea', {class: 'field', id, rows: '2', placeholder: shown || 'JSON', value, oninput: set});
    const type = {integer: 'number', number: 'number', date: 'date', datetime: 'datetime-local'}[field.kind] ?? 'text';
    return h('input', {
      class: 'field',
      id,
      type,
      step: field.kind === 'number' ? 'any' : null,
      min: field.min,
      max: field.max,
      placeholder: shown,
      value,
      oninput: set,
    });
  }
}

function typed(field, value) {
  if (field.kind === 'integer' || field.kind === 'number') return Number(value);
  if (field.kind === 'boolean' || field.kind === 'choice') return JSON.parse(value);
  if (field.kind !== 'json') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function plain(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The config as YAML. Fields that are not set are commented out, with their defaults. */
function asYaml(config, fields) {
  const lines = [];
  for (const [key, own] of Object.entries(fields)) {
    const given = config[key] ?? {};
    lines.push(`${Object.keys(given).length ? '' : '# '}${JSON.stringify(key)}:`);
    for (const field of own) {
      const known = field.name in given;
      lines.push(`${known ? '' : '# '}  ${field.name}: ${JSON.stringify(known ? given[field.name] : (field.default ?? null))}`);
    }
  }
  return lines.join('\n');
}
