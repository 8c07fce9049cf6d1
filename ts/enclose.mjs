/**
 * node ts/enclose.mjs BUNDLE: puts the modules of a bundle into functions, which are called at
 * once: build.sh does so with what Node loads.
 *
 * V8 keeps what it learns of every function of a program until it has read all of it, unless
 * they are within another function; for all of ours that was a megabyte of memory that nothing
 * had touched before, and a twelfth of the time until the first socket is bound. Nothing that was
 * there moves, so that a map of the bundle to its sources stays right.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** What the build has esbuild keep before each module, at the end of a line. */
const HEADING = /\/\/! ((?:ts|build)\/\S+)$/gm;
/** Characters of a function: with less, calls add up; with more, it is as without functions. */
const LONGEST = 16000;

function visit(node, see) {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

/** The names that a statement declares. */
function declared(statement) {
  if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
    return [statement.name.text];
  }
  if (!ts.isVariableStatement(statement)) return [];
  const names = (name) =>
    ts.isIdentifier(name)
      ? [name.text]
      : name.elements.flatMap((element) =>
        ts.isOmittedExpression(element) ? [] : names(element.name)
      );
  return statement.declarationList.declarations.flatMap(({ name }) =>
    names(name)
  );
}

/** Throws for what the rest does not know how to move: esbuild writes none of it today. */
function refuseUnknown(text, file) {
  const refuse = (why, node) => {
    throw new Error(`${why}: ${node.getText().slice(0, 80)}`);
  };
  for (const statement of file.statements) {
    if (
      ts.isImportDeclaration(statement) || ts.isExportAssignment(statement) ||
      statement.modifiers?.some(({ kind }) =>
        kind === ts.SyntaxKind.ExportKeyword
      )
    ) refuse("neither import nor export of this form can be moved", statement);
    const headings = text.slice(statement.getStart(), statement.end).match(
      HEADING,
    );
    if (headings) refuse("a module begins within a statement", statement);
    if (ts.isVariableStatement(statement)) continue;
    ts.forEachChild(statement, function inside(node) {
      if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
      const { flags } = node;
      if (
        ts.isVariableDeclarationList(node) &&
        !(flags & ts.NodeFlags.BlockScoped)
      ) {
        refuse("a var within a statement is not seen outside", statement);
      }
      ts.forEachChild(node, inside);
    });
  }
}

/** Whether an identifier is the name of a property, not of a variable. */
function isProperty(node) {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return false;
  return parent.name === node &&
      (ts.isPropertyAccessExpression(parent) || ts.isClassElement(parent) ||
        ts.isObjectLiteralElement(parent)) ||
    ts.isBindingElement(parent) && parent.propertyName === node;
}

/** The variables that are named below the nodes, in whatever scope. */
function variables(nodes) {
  const found = new Set();
  for (const node of nodes) {
    visit(node, (one) => {
      if (ts.isIdentifier(one) && !isProperty(one)) found.add(one.text);
    });
  }
  return found;
}

/** What a node assigns to, if it does. */
function targetOf(node) {
  const { FirstAssignment, LastAssignment, PlusPlusToken, MinusMinusToken } =
    ts.SyntaxKind;
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    return kind >= FirstAssignment && kind <= LastAssignment && node.left;
  }
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    const changes = [PlusPlusToken, MinusMinusToken].includes(node.operator);
    return changes && node.operand;
  }
  return (ts.isForInStatement(node) || ts.isForOfStatement(node)) &&
    node.initializer;
}

/** The variables that something is assigned to after their declaration. */
function assigned(file) {
  const found = new Set();
  visit(file, (node) => {
    const target = targetOf(node);
    // A property of a variable is not the variable.
    if (!target || ts.isPropertyAccessExpression(target)) return;
    for (const name of variables([target])) found.add(name);
  });
  return found;
}

/** What one function may hold: modules that follow each other, or one that is long. */
function groupsOf(text, statements) {
  const headings = [...text.matchAll(HEADING)];
  if (headings.length === 0) throw new Error("no module's heading is in it");
  const modules = headings.map(({ 1: path, index: start }) => ({
    name: path.replace(/^.*\/|\.\w+$/g, ""),
    start,
    statements: [],
  }));
  for (const statement of statements) {
    if (ts.isExportDeclaration(statement)) continue;
    const start = statement.getStart();
    modules.findLast((one) => one.start <= start)?.statements.push(statement);
  }
  const groups = [];
  for (const module of modules) {
    if (module.statements.length === 0) continue;
    const end = module.statements.at(-1).end;
    const last = groups.at(-1);
    if (last && end - last.start <= LONGEST) {
      last.statements.push(...module.statements);
      last.end = end;
    } else groups.push({ ...module, end });
  }
  return groups;
}

/** The text of a bundle with its modules in functions. */
export function enclose(text) {
  const file = ts.createSourceFile(
    "bundle.mjs",
    text,
    ts.ScriptTarget.ES2022,
    true,
  );
  refuseUnknown(text, file);
  const groups = groupsOf(text, file.statements);
  const changed = assigned(file);
  let result = "", at = 0;
  const insert = (position, what) => {
    result += text.slice(at, position) + what;
    at = position;
  };
  groups.forEach(({ name, start, end, statements }, index) => {
    const elsewhere = file.statements.filter((one) =>
      !statements.includes(one)
    );
    const used = variables(elsewhere);
    const shared = statements.flatMap(declared).filter((name) =>
      used.has(name)
    );
    // What others see change cannot be handed to them once.
    if (shared.some((name) => changed.has(name))) return;
    const call = `${name}_${index}`;
    if (text.includes(call)) throw new Error(`${call} is a name in it`);
    insert(start, `function ${call}() { `);
    if (shared.length === 0) return insert(end, ` } ${call}();`);
    const names = `{ ${shared.join(", ")} }`;
    insert(end, ` return ${names}; } const ${names} = ${call}();`);
  });
  return (result + text.slice(at)).replace(HEADING, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [path] = process.argv.slice(2);
  writeFileSync(path, enclose(readFileSync(path, "utf8")));
}
