// `npm run test:mutants`: plants one fault after the other in a copy of the tree and runs the tests that must
// notice it. Run before a release.
//   node scripts/mutants.mjs [ID …] [--list] [--no-control]
// A fault is a line of test/mutants/mutants.json: edits (`find` occurs once in `file`) and the test files that kill
// it, whole or only the tests whose names match `only`. A fault that survives, or that does not apply any more,
// fails the lane. So does a test that ends by its time limit: that is no kill. The control runs every named test
// without any fault first.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean', default: false }, 'no-control': { type: 'boolean', default: false } },
});
const all = JSON.parse(readFileSync(join(root, 'test/mutants/mutants.json'), 'utf8'));
const unknown = positionals.filter((id) => !all.some((mutant) => mutant.id === id));
if (unknown.length > 0) {
  console.error(`no such mutant: ${unknown.join(', ')}`);
  process.exit(2);
}
const mutants = positionals.length === 0 ? all : all.filter(({ id }) => positionals.includes(id));
if (values.list) {
  for (const { id, what } of mutants) console.log(`${id}: ${what}`);
  process.exit(0);
}

/** Longest time for the tests of one mutant. */
const LIMIT_MS = 600_000;
const tree = mkdtempSync(join(tmpdir(), 'tercet-mutants-'));
let child;
process.on('exit', () => {
  child?.kill('SIGKILL');
  rmSync(tree, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// What is in the repository, or will be: tests read documents and lists of files too.
const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
for (const name of listed.toString().split('\0'))
  if (name !== '' && existsSync(join(root, name))) cpSync(join(root, name), join(tree, name));
symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));

/** Runs the named tests in the copy: how many passed and failed, the first that failed, and whether it was for time. */
async function run({ file, only }) {
  const report = join(tree, 'report.json');
  rmSync(report, { force: true });
  const names = only === undefined ? [] : ['-t', only];
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--project',
    'unit',
    file,
    ...names,
    '--bail',
    '1',
    '--testTimeout',
    String(LIMIT_MS),
    '--reporter',
    'json',
    '--outputFile',
    report,
  ];
  child = spawn(process.execPath, args, { cwd: tree, stdio: 'ignore', timeout: LIMIT_MS });
  const [, ended] = await once(child, 'exit');
  child = undefined;
  // Tests that are told to stop end in good order, but without a report.
  if (ended !== null || !existsSync(report)) return { passed: 0, failed: 0, late: true };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failures = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'failed');
  const late =
    failures.length > 0 &&
    failures.every(({ failureMessages }) => failureMessages.some((message) => message.includes('timed out in')));
  return { passed: numPassedTests, failed: numFailedTests, late, first: failures[0]?.fullName };
}

let wrong = 0;
const say = (line) => console.log(line);

// The control: what the mutants are to make fail passes without them, and there is something to fail.
const tests = new Map(mutants.flatMap(({ killedBy }) => killedBy).map((test) => [JSON.stringify(test), test]));
for (const test of values['no-control'] ? [] : tests.values()) {
  const { passed, failed } = await run(test);
  if (failed === 0 && passed > 0) continue;
  wrong++;
  say(
    `control   ${test.file}${test.only === undefined ? '' : `, "${test.only}"`}: ${passed} passed, ${failed} failed without any mutant`,
  );
}

for (const { id, edits, killedBy } of mutants) {
  const start = performance.now();
  const before = new Map(edits.map(({ file }) => [file, readFileSync(join(tree, file), 'utf8')]));
  let outcome;
  try {
    for (const { file, find, replace } of edits) {
      const text = readFileSync(join(tree, file), 'utf8');
      if (text.split(find).length !== 2) throw new Error(`does not apply to ${file}`);
      writeFileSync(
        join(tree, file),
        text.replace(find, () => replace),
      );
    }
    const runs = [];
    for (const test of killedBy) runs.push({ test, ...(await run(test)) });
    const survived = runs.find(({ failed, late }) => failed === 0 || late);
    const [{ first }] = runs;
    if (survived === undefined) outcome = `killed    ${id}: ${killedBy[0].file}, "${first}"`;
    else {
      // Of code that does not load no test runs: that is a fault of the fault.
      const kind = survived.late ? 'TIMED OUT' : survived.passed === 0 ? 'NOT RUN  ' : 'SURVIVED ';
      outcome = `${kind} ${id}: ${survived.test.file}`;
    }
    if (survived !== undefined) wrong++;
  } catch (error) {
    wrong++;
    outcome = `STALE     ${id}: ${error.message}`;
  } finally {
    for (const [file, text] of before) writeFileSync(join(tree, file), text);
  }
  say(`${outcome} (${((performance.now() - start) / 1000).toFixed(0)} s)`);
}
say(`${mutants.length} mutants, ${wrong} of them or of their controls not as they must be`);
process.exitCode = wrong === 0 ? 0 : 1;
