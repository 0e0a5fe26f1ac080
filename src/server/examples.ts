/** What a page says of a model before anybody typed anything: one line, and texts to try. */
import type { ModelEntry, Task } from '../owner/types/index.ts';

type Example = ModelEntry['examples'][number];

const TITLES: Readonly<Record<Task, string>> = {
  'fill-mask': 'fills in a blank',
  'text-classification': 'sorts a text into classes',
  'question-answering': 'finds the answer to a question',
  'token-classification': 'finds names in a text',
  'text-generation': 'goes on with a text',
  'feature-extraction': 'turns a text into a vector',
};

/** Titles of models whose classes are known. */
const OWN_TITLES: Readonly<Record<string, string>> = {
  'capitals-bert': 'fills in capitals, countries, continents, languages and currencies',
  'capitals-bert-vectors': 'turns a text into a vector; knows capitals and little else',
  'sst2-bert': 'tells praise from blame',
  'tiny-gpt2': 'goes on with a story',
};

/** Where a blank belongs; every model spells it in its own way. */
const BLANK = '{mask}';

const CONTEXTS = {
  bridge:
    'The old stone bridge in Marlow was built in 1783 by Thomas Hale. It crosses the river Wend and is 92 metres long.',
  japan:
    'Japan is an island country in East Asia. Its capital and largest city is Tokyo. People speak Japanese and pay with the yen.',
} as const;

const EXAMPLES: Readonly<Record<Task, readonly Example[]>> = {
  'fill-mask': [
    { label: 'a capital', text: `The capital of France is ${BLANK}.` },
    { label: 'another way round', text: `Tokyo is the capital of ${BLANK}.` },
    { label: 'a smaller country', text: `The capital of Iceland is ${BLANK}.` },
  ],
  'text-classification': [
    { label: 'a kind review', text: 'A warm, funny and moving film.' },
    { label: 'an unkind one', text: 'It is dull, and far too long.' },
    { label: 'a mixed one', text: 'The acting is fine but the story goes nowhere.' },
  ],
  'question-answering': [
    { label: 'a year', question: 'When was the bridge built?', text: CONTEXTS.bridge },
    { label: 'a length', question: 'How long is the bridge?', text: CONTEXTS.bridge },
    { label: 'a city', question: 'What is the capital of Japan?', text: CONTEXTS.japan },
  ],
  'token-classification': [
    { label: 'people and places', text: 'Angela Merkel met Barack Obama in Berlin on Tuesday.' },
    { label: 'a company', text: 'I saw Tim Cook present the new Apple phone in London.' },
    { label: 'a note', text: 'Meet Doctor Okafor at the Royal Hospital in Leeds on Monday.' },
  ],
  'text-generation': [
    { label: 'a beginning', text: 'Once upon a time there was a little girl named' },
    { label: 'a walk', text: 'One day, Tom and his brother walked to' },
    { label: 'a fact', text: 'The capital of France is' },
  ],
  'feature-extraction': [
    { label: 'a question', text: 'How do I reset my password?' },
    { label: 'the same in other words', text: 'I forgot the word that lets me in.' },
    { label: 'another subject', text: 'Rain is likely in the afternoon.' },
  ],
};

export function titleOf(id: string, task: Task): string {
  return Object.hasOwn(OWN_TITLES, id) ? OWN_TITLES[id] : TITLES[task];
}

/** @param mask how the model's tokenizer spells a blank */
export function examplesFor(task: Task, mask: string): Example[] {
  return EXAMPLES[task].map((example) => ({ ...example, text: example.text.replaceAll(BLANK, mask) }));
}
