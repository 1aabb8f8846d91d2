// Rust for the editor, token by token: what colours and indentation need, and no grammar.

const KEYWORDS = new Set(('as async await break const continue crate dyn else enum extern fn for gen if impl '
  + 'in let loop macro match mod move mut pub ref return self Self static struct super trait type '
  + 'union unsafe use where while').split(' '));
const PRIMITIVES = new Set(('bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize').split(' '));
const NUMBER = /^(?:0x[\da-fA-F_]+|0o[0-7_]+|0b[01_]+|\d[\d_]*(?:\.(?!\.|[a-zA-Z_])[\d_]*)?(?:[eE][+-]?[\d_]+)?)(?:[iu](?:8|16|32|64|128|size)|f(?:32|64))?/;

function word(name, stream, state) {
  const before = state.last;
  state.last = name;
  if (before === 'fn') return 'variableName.function';
  if (KEYWORDS.has(name)) return 'keyword';
  if (name === 'true' || name === 'false') return 'bool';
  if (PRIMITIVES.has(name)) return 'typeName';
  if (stream.match(/^!(?!=)/)) return 'macroName';
  if (/^_*[A-Z][A-Z\d_]+$/.test(name)) return 'constant';
  if (/^_*[A-Z]/.test(name)) return 'typeName';
  if (stream.match(/^(?:::<|\s*\()/, false)) return 'variableName.function';
  return 'variableName';
}

function blockComment(stream, state) {
  while (!stream.eol()) {
    if (stream.match('/*')) state.comment += 1;
    else if (stream.match('*/')) {
      state.comment -= 1;
      if (state.comment === 0) break;
    } else stream.next();
  }
  return 'comment';
}

// `end` is the text that closes it; only plain strings know escapes.
function string(stream, state) {
  while (!stream.eol()) {
    if (state.end === '"' && stream.match('\\')) { stream.next(); continue; }
    if (stream.match(state.end)) { state.end = ''; break; }
    stream.next();
  }
  return 'string';
}

export const mode = {
  name: 'rust',
  startState: () => ({ comment: 0, end: '', last: '' }),
  token(stream, state) {
    if (state.comment > 0) return blockComment(stream, state);
    if (state.end) return string(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.match('//')) { stream.skipToEnd(); return 'comment'; }
    if (stream.match('/*')) { state.comment = 1; return blockComment(stream, state); }
    const raw = stream.match(/^(?:b|c)?r(#*)"/);
    if (raw) { state.end = `"${raw[1]}`; return string(stream, state); }
    if (stream.match(/^[bc]?"/)) { state.end = '"'; return string(stream, state); }
    if (stream.match(/^b?'(?:\\(?:x[\da-fA-F]{2}|u\{[\da-fA-F_]+\}|.)|[^\\'])'/)) return 'character';
    if (stream.match(/^'[A-Za-z_]\w*/)) return 'labelName';
    if (stream.match(NUMBER)) return 'number';
    if (stream.match(/^#!?\[/)) { state.last = '#'; return 'meta'; }
    const name = stream.match(/^(?:r#)?[A-Za-z_]\w*/);
    if (name) return word(name[0], stream, state);
    state.last = stream.next();
    return /[()[\]{}]/.test(state.last) ? 'bracket' : 'operator';
  },
  languageData: {
    commentTokens: { line: '//', block: { open: '/*', close: '*/' } },
    indentOnInput: /^\s*[)\]}]$/,
    closeBrackets: { brackets: ['(', '[', '{', '"'] },
  },
};

function code(text) {
  return text.replace(/"(?:\\.|[^"\\])*"/g, '""').replace(/\/\/.*$/, '').trimEnd();
}

// The line before decides: one step in behind an opening bracket, one step out before a closing one.
export function indentation(context, pos) {
  const here = context.lineAt(pos, 1);
  const line = context.state.doc.lineAt(pos);
  // Where a line is about to be broken, what is left of the break is the line before.
  let before = { from: line.from, text: line.text.slice(0, here.from - line.from) };
  if (here.from === line.from) {
    if (line.from === 0) return 0;
    before = context.state.doc.lineAt(line.from - 1);
  }
  while (before.text.trim() === '' && before.from > 0) {
    before = context.state.doc.lineAt(before.from - 1);
  }
  let columns = context.countColumn(before.text, before.text.search(/\S|$/));
  if (/[([{]$/.test(code(before.text))) columns += context.unit;
  if (/^\s*[)\]}]/.test(here.text)) columns -= context.unit;
  return Math.max(columns, 0);
}

// The same tokens as HTML, for code beside the editor. The text stays what it is.
const CLASSES = {
  keyword: 'hljs-keyword', bool: 'hljs-literal', typeName: 'hljs-type', constant: 'hljs-type',
  macroName: 'hljs-title', 'variableName.function': 'hljs-title', string: 'hljs-string',
  character: 'hljs-string', labelName: 'hljs-number', number: 'hljs-number', comment: 'hljs-comment',
  meta: 'hljs-meta',
};

class Line {
  constructor(text) { this.text = text; this.at = 0; }
  eol() { return this.at >= this.text.length; }
  next() { this.at += 1; return this.text[this.at - 1]; }
  skipToEnd() { this.at = this.text.length; }
  eatSpace() {
    const from = this.at;
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
    return this.at > from;
  }
  match(pattern, consume = true) {
    const rest = this.text.slice(this.at);
    const found = typeof pattern === 'string'
      ? (rest.startsWith(pattern) ? [pattern] : null)
      : rest.match(pattern);
    if (found && consume) this.at += found[0].length;
    return found;
  }
}

export function colour(element) {
  const state = mode.startState();
  const parts = [];
  for (const [number, text] of element.textContent.split('\n').entries()) {
    if (number > 0) parts.push('\n');
    const line = new Line(text);
    while (!line.eol()) {
      const from = line.at;
      const style = CLASSES[mode.token(line, state)];
      const token = text.slice(from, line.at);
      if (!style) { parts.push(token); continue; }
      const span = document.createElement('span');
      span.className = style;
      span.textContent = token;
      parts.push(span);
    }
  }
  element.replaceChildren(...parts);
  element.classList.add('hljs');
}
