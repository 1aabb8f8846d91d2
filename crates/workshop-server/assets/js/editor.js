// CodeMirror over the page's textarea: how it looks, its keys, and marks on lines. What is saved
// where and when is `desk.js`'s matter.
import {
  bracketMatching, closeBrackets, closeBracketsKeymap, Decoration, defaultKeymap, EditorState,
  EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSelectionMatches,
  highlightSpecialChars, HighlightStyle, history, historyKeymap, indentOnInput, indentService,
  indentUnit, indentWithTab, keymap, lineNumbers, search, searchKeymap, setDiagnostics, StateEffect,
  StateField, StreamLanguage, syntaxHighlighting, tags, WidgetType,
} from '../vendor/codemirror.js';
import { indentation, mode } from './rust.js';

// The page's own variables, which reach into the shadow root; both themes come with them.
const look = EditorView.theme({
  '&': { height: '100%', containerType: 'inline-size', backgroundColor: 'var(--surface)', color: 'var(--ink)', fontSize: '.84375rem' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6', fontVariantLigatures: 'none', overflow: 'auto' },
  '.cm-content': { padding: '.75rem 0 4rem', caretColor: 'var(--ink)' },
  '.cm-line': { padding: '0 1rem 0 .5rem' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--muted)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 .5rem 0 1rem', minWidth: '3rem' },
  '.cm-activeLine': { backgroundColor: 'light-dark(#17202a0a,#ffffff0a)' },
  '.cm-activeLineGutter': { backgroundColor: 'light-dark(#17202a0a,#ffffff0a)', color: 'var(--ink)' },
  '.cm-content ::selection': { backgroundColor: 'light-dark(#ffd79a,#6b4b12)' },
  '.cm-line::selection': { backgroundColor: 'light-dark(#ffd79a,#6b4b12)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'light-dark(#ffe3b8,#4d3914)', outline: '1px solid var(--edge)' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--bad-bg)', outline: '1px solid var(--bad)' },
  '.cm-selectionMatch': { backgroundColor: 'light-dark(#e3ecf4,#2c3d4d)' },
  '.cm-searchMatch': { backgroundColor: 'light-dark(#ffe3b8,#4d3914)', outline: '1px solid var(--flow)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--orange)', color: 'var(--on-orange)' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--ink)' },
  '.cm-panels.cm-panels-bottom': { borderTop: '1px solid var(--line)' },
  '.cm-panel.cm-search': { padding: '.5rem 1rem', fontFamily: 'var(--sans)', fontSize: '.875rem' },
  '.cm-panel.cm-search label': { fontSize: '.875rem' },
  '.cm-panel.cm-search [name=close]': { color: 'var(--ink)', minWidth: '24px', minHeight: '24px' },
  '.cm-textfield, .cm-panel.cm-search .cm-button': {
    font: '500 .875rem/1.2 var(--sans)', color: 'var(--ink)', background: 'var(--surface)',
    border: '1px solid var(--edge)', borderRadius: '4px', padding: '.3rem .5rem', minHeight: '24px',
  },
  '.cm-panel.cm-search input[type=checkbox]': { minWidth: '16px', minHeight: '16px', accentColor: 'var(--link)' },
  '.cm-panels :focus-visible': { outline: '3px solid var(--link)', outlineOffset: '1px' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--edge)', fontFamily: 'var(--sans)', maxWidth: '32rem' },
  '.cm-diagnostic': { padding: '.4rem .75rem', whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-error': { borderLeft: '0', borderTop: '3px solid var(--bad)' },
  '.cm-diagnostic-warning': { borderLeft: '0', borderTop: '3px solid var(--flow)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)', textUnderlineOffset: '.2em' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--flow)', textUnderlineOffset: '.2em' },
  '.cm-lintPoint:after': { borderBottomColor: 'var(--bad)' },
  '.ws-error': { backgroundColor: 'var(--bad-bg)', boxShadow: 'inset 3px 0 var(--bad)' },
  '.ws-warning': { backgroundColor: 'var(--heat-bg)', boxShadow: 'inset 3px 0 var(--flow)' },
  '.ws-why': {
    font: '500 .8125rem/1.45 var(--sans)', padding: '.1rem 1rem .4rem .5rem', whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere', maxWidth: 'calc(100cqw - 4rem)',
  },
  '.ws-why.ws-error': { color: 'var(--bad)' },
  '.ws-why.ws-warning': { color: 'var(--heat)' },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'light-dark(#8a3b8f,#dc9be0)' },
  { tag: [tags.function(tags.variableName), tags.macroName], color: 'light-dark(#0f5f9e,#7fc1f4)' },
  { tag: [tags.typeName, tags.constant(tags.name)], color: 'light-dark(#7a5200,#f0c274)' },
  { tag: [tags.string, tags.character], color: 'light-dark(#146c3c,#7fd6a4)' },
  { tag: [tags.number, tags.bool, tags.labelName], color: 'light-dark(#a3341f,#ffa58f)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  { tag: tags.meta, color: 'var(--muted)' },
]);

const language = StreamLanguage.define({ ...mode, tokenTable: { constant: tags.constant(tags.name) } });

// The sentence under a line that is wrong; the wavy line alone says nothing.
class Why extends WidgetType {
  constructor(level, text) { super(); this.level = level; this.text = text; }
  eq(other) { return other.level === this.level && other.text === this.text; }
  toDOM() {
    const why = document.createElement('div');
    why.className = `ws-why ws-${this.level}`;
    why.textContent = this.text;
    return why;
  }
}

const setMarks = StateEffect.define();
const markField = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setMarks)) next = effect.value;
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

// rustc counts characters, the editor UTF-16 units.
function place(doc, line, column) {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const units = [...at.text].slice(0, Math.max(column - 1, 0)).join('').length;
  return at.from + Math.min(units, at.length);
}

// Several checks may end at one line; one sentence below it is enough.
function together(problems) {
  const lines = new Map();
  for (const problem of problems) {
    const of = lines.get(problem.line) ?? [];
    if (!of.some(({ text }) => text === problem.text)) of.push(problem);
    lines.set(problem.line, of);
  }
  return [...lines.values()].map(([first, ...rest]) => {
    const more = rest.length === 0 ? '' : `\n${rest.length} more at this line, beside the editor`;
    const text = first.text.length > 200 ? `${first.text.slice(0, 200)} …` : first.text;
    return { ...first, text: text + more };
  });
}

export function mount({ textarea, host, label, onChange, onRun, onLeave }) {
  const shadow = host.attachShadow({ mode: 'open' });
  const keys = [
    // Before the editor's own: there it would open a new line.
    { key: 'Mod-Enter', run: () => { onRun(); return true; } },
    ...closeBracketsKeymap, ...searchKeymap, ...historyKeymap,
    ...defaultKeymap.filter((binding) => binding.key !== 'Mod-Enter'),
    indentWithTab,
    // Last: whatever Escape closes inside the editor comes first.
    { key: 'Escape', run: () => { onLeave(); return true; } },
  ];
  let quiet = false;
  const view = new EditorView({
    parent: shadow,
    root: shadow,
    state: EditorState.create({
      doc: textarea.value,
      extensions: [
        look, language, syntaxHighlighting(colours), indentService.of(indentation), indentUnit.of('    '),
        EditorState.tabSize.of(4), lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(),
        highlightSpecialChars(), history(), bracketMatching(), closeBrackets(), indentOnInput(),
        search({ top: false }), highlightSelectionMatches(), markField, keymap.of(keys),
        EditorView.contentAttributes.of({
          'aria-label': label, tabindex: '0', spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off', translate: 'no',
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !quiet) onChange();
        }),
      ],
    }),
  });
  textarea.hidden = true;

  return {
    host,
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    hasFocus: () => view.hasFocus,
    // Replaces what differs and nothing else: the cursor stays where it is in the rest, and the
    // replacement can be undone.
    replace(text) {
      const old = view.state.doc.toString();
      if (old === text) return;
      let from = 0;
      const shorter = Math.min(old.length, text.length);
      while (from < shorter && old[from] === text[from]) from += 1;
      let end = 0;
      while (end < shorter - from && old[old.length - 1 - end] === text[text.length - 1 - end]) end += 1;
      quiet = true;
      view.dispatch({
        changes: { from, to: old.length - end, insert: text.slice(from, text.length - end) },
        userEvent: 'input.replace',
      });
      quiet = false;
    },
    goto(line, column = 1) {
      const at = place(view.state.doc, line, column);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
      view.focus();
    },
    // Problems: level (error or warning), line, column, endLine, endColumn, text.
    mark(problems) {
      const { doc } = view.state;
      const shown = together(problems.filter((problem) => problem.line <= doc.lines));
      const diagnostics = shown.map((problem) => {
        const from = place(doc, problem.line, problem.column);
        const to = place(doc, problem.endLine ?? problem.line, problem.endColumn ?? problem.column + 1);
        return { from, to: Math.max(from, to), severity: problem.level, message: problem.text };
      });
      const ranges = shown.flatMap((problem) => {
        const line = doc.line(problem.line);
        const why = Decoration.widget({ widget: new Why(problem.level, problem.text), side: 1, block: true });
        return [
          Decoration.line({ class: `ws-${problem.level}` }).range(line.from),
          why.range(line.to),
        ];
      });
      view.dispatch(
        setDiagnostics(view.state, diagnostics),
        { effects: setMarks.of(Decoration.set(ranges, true)) },
      );
    },
  };
}
