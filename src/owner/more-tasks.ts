/**
 * What a model needs that does not fill blanks, as one module: a page loads it with such a model, and not before.
 */
export { runBatches } from './batches.ts';
export { inputFor, questionOf } from './inputs.ts';
export { planAnswer, planClassify, planEmbed, planEntities, planGenerate } from './task-plans.ts';
