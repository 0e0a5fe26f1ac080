/** Texts that ranges are measured on, where they are: prose, names and numbers, speech, code, and marks in a row, which push models to their extremes. Our own words. */
export const SAMPLE_TEXTS: readonly string[] = [
  'The harbour master wrote the arrival of each ship into a green ledger, and nobody but her could read the abbreviations.',
  'On 14 March 2019 the committee in Geneva approved 3,250,000 francs for the new laboratory, although Dr. Amara Okafor and two others voted against it.',
  '"You did what?" she whispered. "No, no, no. That was never the plan, and you know it."',
  'function total(items) { return items.reduce((sum, { price, count }) => sum + price * count, 0); } // 42',
  'What is the capital of the country that borders both Kenya and Somalia, and how many people live there today?',
  'terrible acting , a plot that goes nowhere , and yet i could not look away ; strangely , wonderfully awful .',
  'Water boils at 100 degrees. Water boils. Water. Water. Water. Water. Water. Water. Water. Water.',
  '..... !!!!! ????? ----- 0 0 0 0 0 1 1 1 1 1 e e e e e',
];
