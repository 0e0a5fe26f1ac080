// Prints what a sentiment model says of each line, and shows it to nobody else.
//   node index.mjs "A warm, funny film." "Two hours I will not get back."
import { SecureTransformer, releaseWebRtc } from 'tercet';

const given = process.argv.slice(2);
const texts = given.length > 0 ? given : ['A warm, funny film.', 'Two hours that nobody gives back to me.'];

const model = await SecureTransformer.fromPretrained('sst2-bert', {
  deployment: process.env.DEPLOYMENT ?? 'http://127.0.0.1:8420/tercet.json',
});
const { results, costs } = await model.classifyBatch(texts);
for (const [i, { label, score }] of results.entries()) console.log(`${label.padEnd(8)} ${score.toFixed(3)}  ${texts[i]}`);

const [{ links }] = costs;
console.log(`\n${texts.length} texts, ${links.between.rounds} rounds between the two parties, one message each way for you`);
await model.dispose();
await releaseWebRtc();
