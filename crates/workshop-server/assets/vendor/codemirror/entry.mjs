// CodeMirror 6, and of each package only what the exercise page uses. How the parts go together is
// the page's own matter (`js/editor.js`). Rust's colours come from `js/rust.js`: the whole grammar
// would be a fifth of the bundle.
export { EditorState, StateEffect, StateField, Compartment } from '@codemirror/state';
export {
  EditorView, Decoration, WidgetType, keymap, lineNumbers, highlightActiveLine,
  highlightActiveLineGutter, highlightSpecialChars,
} from '@codemirror/view';
export { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
export {
  bracketMatching, HighlightStyle, indentOnInput, indentService, indentUnit, StreamLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
export { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
export { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
export { setDiagnostics } from '@codemirror/lint';
export { tags } from '@lezer/highlight';
