import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AnswerOptions,
  finishQuestion,
  prepareQuestion,
  type QuestionAnswer,
  type QuestionInput,
} from '../../src/ml/tasks/question-answering.ts';
import { thrown } from '../failure.ts';
import { BERT_PIECES, bertConfig, loadBert, loadGpt2, loadRoberta, robertaConfig } from './tasks-fixtures.ts';

const tokenizer = await loadBert();
const roberta = await loadRoberta();
const config = bertConfig('BertForQuestionAnswering');
const ROBERTA = robertaConfig('RobertaForQuestionAnswering', roberta.vocabSize);
const id = (piece: string): number => BERT_PIECES.indexOf(piece);

/** Logits of T positions: 0 but for the given starts and ends. */
function logitsOf(input: QuestionInput, starts: Record<number, number>, ends: Record<number, number>): Float32Array {
  const logits = new Float32Array(2 * input.rows.length);
  for (const [position, value] of Object.entries(starts)) logits[2 * Number(position)] = value;
  for (const [position, value] of Object.entries(ends)) logits[2 * Number(position) + 1] = value;
  return logits;
}

/** A question whose context of n pieces are the words w0 w1 …, behind [CLS] and q pieces. */
function byHand(q: number, n: number): QuestionInput {
  const words = Array.from({ length: n }, (_, i) => `w${i}`);
  const context = words.join(' ');
  let at = 0;
  const pieces = words.map((word, i) => {
    const start = at;
    at += word.length + 1;
    return { position: q + 2 + i, start, end: start + word.length, continues: false };
  });
  const length = q + n + 3;
  const contextRows = pieces.map(({ position }) => position);
  return {
    inputIds: new Array<number>(length).fill(1),
    rows: Array.from({ length }, (_, i) => i),
    context,
    pieces,
    contextRows,
    noAnswer: 0,
  };
}

/** transformers' way: everything outside context and [CLS] at -10000, softmax over all, every pair of positions. */
function brute(
  logits: Float32Array,
  input: QuestionInput,
  { topK = 1, maxAnswerLength = 15, handleImpossible = false }: AnswerOptions,
): QuestionAnswer[] {
  const T = input.rows.length;
  const context = new Map(input.pieces.map((piece) => [piece.position, piece]));
  const soft = (column: number): number[] => {
    const row = Array.from({ length: T }, (_, t) => (t === 0 || context.has(t) ? logits[2 * t + column] : -10_000));
    const exps = row.map((x) => Math.exp(x - Math.max(...row)));
    const total = exps.reduce((a, b) => a + b, 0);
    return exps.map((x) => x / total);
  };
  const [start, end] = [soft(0), soft(1)];
  const all: QuestionAnswer[] = handleImpossible ? [{ answer: '', score: start[0] * end[0], start: 0, end: 0 }] : [];
  for (let s = 0; s < T; s++) {
    for (let e = 0; e < T; e++) {
      const [first, last] = [context.get(s), context.get(e)];
      if (s > e || e - s >= maxAnswerLength || first === undefined || last === undefined) continue;
      all.push({
        answer: input.context.slice(first.start, last.end),
        score: start[s] * end[e],
        start: first.start,
        end: last.end,
      });
    }
  }
  const chosen: QuestionAnswer[] = [];
  for (const answer of all.sort((a, b) => b.score - a.score || a.start - b.start || a.end - b.end)) {
    if (chosen.length < topK && !chosen.some((other) => answer.start < other.end && other.start < answer.end))
      chosen.push(answer);
  }
  return chosen;
}

describe('a question', () => {
  it('is encoded with its context, all of whose positions are read', () => {
    const input = prepareQuestion('where is john?', 'john lives in paris', tokenizer, config);
    expect(input.inputIds).toEqual('[CLS] where is john ? [SEP] john lives in paris [SEP]'.split(' ').map(id));
    expect(input.typeIds).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    expect(input.rows).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(input.noAnswer).toBe(0);
    expect(input.pieces.map(({ position, start, end }) => [position, start, end])).toEqual([
      [6, 0, 4],
      [7, 5, 10],
      [8, 11, 13],
      [9, 14, 19],
    ]);
  });

  it('needs a context, visible text in both, and room', () => {
    const prepare = (question: unknown, context: unknown) => prepareQuestion(question, context, tokenizer, config);
    expect(thrown('ERR_ARGUMENT', () => prepare('who?', undefined)).message).toContain('the context');
    expect(thrown('ERR_ARGUMENT', () => prepare(undefined, 'a')).message).toContain('the question');
    for (const empty of ['', '  ', '\u200b']) {
      expect(thrown('ERR_TEXT_EMPTY', () => prepare(empty, 'a')).message).toContain('the question');
      expect(thrown('ERR_TEXT_EMPTY', () => prepare('who?', empty)).message).toContain('the context');
    }
    expect(thrown('ERR_TEXT_CONTROL', () => prepare('who?', 'a\0')).message).toContain('the context');
    expect(prepare('who?', 'a '.repeat(19)).inputIds.length).toBe(24);
    expect(thrown('ERR_TOO_MANY_TOKENS', () => prepare('who?', 'a '.repeat(20))).message).toContain('1 too many');
    const { message, hint } = thrown('ERR_TOO_MANY_TOKENS', () => prepare('who?', 'a '.repeat(22)));
    expect(message).toBe(
      'the question and context have 27 tokens with [CLS] and [SEP], and the model takes 24: 3 too many',
    );
    expect(hint).toContain('split the context');
  });

  it('needs a model with the head', async () => {
    thrown('ERR_MODEL_UNSUPPORTED', () => prepareQuestion('a', 'b', tokenizer, bertConfig('BertForMaskedLM')));
    const gpt2 = await loadGpt2();
    thrown('ERR_MODEL_UNSUPPORTED', () => prepareQuestion('a', 'b', gpt2, { ...config, vocabSize: gpt2.vocabSize }));
  });

  it('cannot bring control tokens', () => {
    const { inputIds } = prepareQuestion('who [SEP]', '[CLS] [MASK]', tokenizer, config);
    expect(inputIds.filter((i) => i === tokenizer.sepTokenId).length).toBe(2);
    expect(inputIds.filter((i) => i === tokenizer.clsTokenId).length).toBe(1);
    expect(inputIds).not.toContain(tokenizer.maskTokenId);
  });
});

describe('an answer', () => {
  it('is part of the context exactly as it was given', () => {
    const context = '  John   LIVES\nin Paris .';
    const input = prepareQuestion('where?', context, tokenizer, config);
    const [first, last] = [input.pieces[1].position, input.pieces[3].position];
    const [answer] = finishQuestion(logitsOf(input, { [first]: 20 }, { [last]: 20 }), input);
    expect(answer).toEqual({ answer: 'LIVES\nin Paris', start: 9, end: 23, score: expect.closeTo(1, 6) });
    expect(context.slice(answer.start, answer.end)).toBe(answer.answer);
  });

  it('is the best span, by brute force', () => {
    const sizes = fc.record({ q: fc.integer({ min: 1, max: 4 }), n: fc.integer({ min: 1, max: 12 }) });
    const options = fc.record({
      topK: fc.integer({ min: 1, max: 6 }),
      maxAnswerLength: fc.integer({ min: 1, max: 13 }),
      handleImpossible: fc.boolean(),
    });
    fc.assert(
      fc.property(sizes, options, fc.infiniteStream(fc.integer({ min: -512, max: 512 })), ({ q, n }, some, stream) => {
        const input = byHand(q, n);
        // A different small amount for each, so that no two spans tie.
        const logits = Float32Array.from(
          { length: 2 * input.rows.length },
          (_, i) => (stream.next().value as number) / 100 + i * 1e-4,
        );
        const [ours, theirs] = [finishQuestion(logits, input, some), brute(logits, input, some)];
        expect(ours.map(({ score }) => score)).toEqual(theirs.map(({ score }) => expect.closeTo(score, 10)));
        expect(ours.map(({ start, end, answer }) => [start, end, answer])).toEqual(
          theirs.map(({ start, end, answer }) => [start, end, answer]),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('never lies in the question or on a control token, whatever the logits', () => {
    const input = prepareQuestion('where is john?', 'john lives in paris', tokenizer, config);
    const [answer] = finishQuestion(
      logitsOf(input, { 1: 90, 5: 80, 10: 80, 8: 1 }, { 3: 90, 5: 80, 10: 80, 9: 1 }),
      input,
    );
    expect(answer.answer).toBe('in paris');
  });

  it('does not end before it starts', () => {
    const input = byHand(1, 3);
    const [answer] = finishQuestion(logitsOf(input, { 5: 9 }, { 3: 9 }), input);
    expect(['w0', 'w2', 'w0 w1 w2']).toContain(answer.answer);
    expect(answer.start).toBeLessThan(answer.end);
  });

  it('is no longer than maxAnswerLength', () => {
    const input = byHand(1, 5);
    const logits = logitsOf(input, { 3: 9 }, { 6: 9, 5: 5 });
    expect(finishQuestion(logits, input, { maxAnswerLength: 4 })[0].answer).toBe('w0 w1 w2 w3');
    expect(finishQuestion(logits, input, { maxAnswerLength: 3 })[0].answer).toBe('w0 w1 w2');
  });

  it('has the probability of start times end among context and [CLS]', () => {
    const input = byHand(2, 2);
    const [answer] = finishQuestion(logitsOf(input, { 0: Math.log(2), 4: Math.log(5) }, { 5: Math.log(2) }), input);
    expect(answer).toEqual({ answer: 'w0 w1', start: 0, end: 5, score: expect.closeTo((5 / 8) * (2 / 4), 6) });
  });

  it('may be none, when asked for', () => {
    const input = byHand(1, 3);
    const logits = logitsOf(input, { 0: 5 }, { 0: 5 });
    expect(finishQuestion(logits, input, { handleImpossible: true })).toEqual([
      { answer: '', start: 0, end: 0, score: expect.closeTo(0.96, 2) },
    ]);
    expect(finishQuestion(logits, input)[0].answer).not.toBe('');
    const two = finishQuestion(logits, input, { handleImpossible: true, topK: 2 });
    expect(two.map(({ answer }) => answer === '')).toEqual([true, false]);
    expect(finishQuestion(logitsOf(input, { 3: 9 }, { 3: 9 }), input, { handleImpossible: true })[0].answer).toBe('w0');
  });

  it('is widened to whole words, unless told not to', () => {
    const input = prepareQuestion('who?', 'john johnson.', tokenizer, config);
    const son = input.pieces[2];
    expect(input.pieces.map(({ continues }) => continues)).toEqual([false, false, true, false]);
    const logits = logitsOf(input, { [son.position]: 20 }, { [son.position]: 20 });
    expect(finishQuestion(logits, input)[0]).toMatchObject({ answer: 'johnson', start: 5, end: 12 });
    expect(finishQuestion(logits, input, { alignToWords: false })[0]).toMatchObject({
      answer: 'son',
      start: 9,
      end: 12,
    });
  });

  it('of a byte-level model has neither the space before it nor the full stop behind', () => {
    const input = prepareQuestion('The?', 'It was Parisian.', roberta, ROBERTA);
    const paris = input.pieces.find(({ start }) => start === 7)?.position ?? 0;
    const logits = logitsOf(input, { [paris]: 20 }, { [paris]: 20 });
    expect(finishQuestion(logits, input)[0]).toMatchObject({ answer: 'Parisian', start: 7, end: 15 });
    expect(finishQuestion(logits, input, { alignToWords: false })[0]).toMatchObject({
      answer: 'Paris',
      start: 7,
      end: 12,
    });
    expect(input.typeIds).toBeUndefined();
  });

  it('of a byte-level model has no white space around it, and English endings are words', () => {
    const input = prepareQuestion('The?', "It  was it's\n ", roberta, ROBERTA);
    const spans = input.contextRows.length;
    expect(spans).toBeGreaterThan(input.pieces.length);
    const at = (start: number): number => input.pieces.find((piece) => piece.start === start)?.position ?? 0;
    const end = input.contextRows[spans - 1];
    const [answer] = finishQuestion(logitsOf(input, { [at(11)]: 20 }, { [end]: 20 }), input);
    expect(answer).toMatchObject({ answer: "'s", start: 10, end: 12 });
    const [other] = finishQuestion(logitsOf(input, { [at(4)]: 20 }, { [at(4)]: 20 }), input);
    expect(other).toMatchObject({ answer: 'was', start: 4, end: 7 });
    // White space alone is none.
    const [blank] = finishQuestion(logitsOf(input, { [end]: 20, [at(4)]: 9 }, { [end]: 20, [at(4)]: 9 }), input);
    expect(blank.answer).toBe("was it's");
    expect(blank.score).toBeLessThan(1e-3);
  });

  it('gives several that do not overlap, and no more than there are', () => {
    const input = byHand(1, 3);
    const answers = finishQuestion(new Float32Array(2 * input.rows.length), input, { topK: 10, maxAnswerLength: 1 });
    expect(answers.map(({ answer }) => answer)).toEqual(['w0', 'w1', 'w2']);
  });

  it('refuses bad options and logits', () => {
    const input = byHand(1, 2);
    const logits = new Float32Array(2 * input.rows.length);
    for (const options of [{ topK: 0 }, { topK: 1.5 }, { maxAnswerLength: 0 }, { maxAnswerLength: Number.NaN }])
      thrown('ERR_ARGUMENT', () => finishQuestion(logits, input, options));
    thrown('ERR_SHAPE', () => finishQuestion(new Float32Array(3), input));
    thrown('ERR_RANGE', () => finishQuestion(logits.fill(Number.NaN), input));
  });
});
