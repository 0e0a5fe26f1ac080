/**
 * Texts that ranges are measured on, where they are: prose, names and numbers, speech, code, and marks in a row,
 * which push models to their extremes; line breaks and tabs, which some models answer with their largest
 * activations; and many scripts, of which a vocabulary has the pieces that it uses least. Our own words.
 */
const TEXTS: readonly string[] = [
  'The harbour master wrote the arrival of each ship into a green ledger, and nobody but her could read the abbreviations.',
  'On 14 March 2019 the committee in Geneva approved 3,250,000 francs for the new laboratory, although Dr. Amara Okafor and two others voted against it.',
  '"You did what?" she whispered. "No, no, no. That was never the plan, and you know it."',
  'function total(items) {\n\treturn items.reduce((sum, { price, count }) => sum + price * count, 0); // 42\n}\n',
  'What is the capital of the country that borders both Kenya and Somalia, and how many people live there today?',
  'terrible acting , a plot that goes nowhere , and yet i could not look away ; strangely , wonderfully awful .',
  'Water boils at 100 degrees. Water boils. Water. Water. Water. Water. Water. Water. Water. Water.',
  '..... !!!!! ????? ----- 0 0 0 0 0 1 1 1 1 1 e e e e e',
  'Dear all:\n\n1.\tBread\n2.\tMilk\n\nName:\tLee\r\nPlace:\tRoom 7\n\n\n— the end —\n',
  '0123456789 9876543210 3.14159265 1,000,000 $5.99 €20 50% +44 20 7946 0958 #hash @name user@example.org https://example.org/a?b=c&d=e',
  '~!@#$%^&*()_+`-={}|[]\\:";\'<>?,./ “quoted” ‘single’ « guillemets » … – — • · § ¶ © ® ™ ° ± × ÷ ≠ ≤ ≥ ∞ → ← ⇒ ∑ √',
  '😀 😂 ❤️ 👍🏽 🎉 🚀 🐈 👩‍🔬 🇳🇴 ☕ ✨ 🤖 🌍 🍎 🔒 😀😀😀😀😀',
];

/** The ship came late, in a score of scripts. */
const SCRIPTS: readonly string[] = [
  'Корабль пришёл поздно, и никто не ждал его в гавани.',
  'Το πλοίο έφτασε αργά και κανείς δεν το περίμενε.',
  'وصلت السفينة متأخرة ولم يكن أحد ينتظرها في الميناء.',
  'הספינה הגיעה מאוחר ואיש לא חיכה לה בנמל.',
  'जहाज़ देर से आया और बंदरगाह पर कोई नहीं था।',
  'জাহাজটি দেরিতে এলো, বন্দরে কেউ ছিল না।',
  'ਜਹਾਜ਼ ਦੇਰ ਨਾਲ ਆਇਆ ਅਤੇ ਕੋਈ ਉਡੀਕ ਨਹੀਂ ਰਿਹਾ ਸੀ।',
  'વહાણ મોડું આવ્યું અને બંદરે કોઈ ન હતું.',
  'கப்பல் தாமதமாக வந்தது, துறைமுகத்தில் யாரும் இல்லை.',
  'ఓడ ఆలస్యంగా వచ్చింది, రేవులో ఎవరూ లేరు.',
  'ಹಡಗು ತಡವಾಗಿ ಬಂತು, ಬಂದರಿನಲ್ಲಿ ಯಾರೂ ಇರಲಿಲ್ಲ.',
  'കപ്പൽ വൈകി വന്നു, തുറമുഖത്ത് ആരും ഇല്ലായിരുന്നു.',
  'නැව ප්‍රමාද වී පැමිණියේය, වරායේ කිසිවෙකු නොසිටියේය.',
  'เรือมาถึงช้า และไม่มีใครรออยู่ที่ท่าเรือ',
  'ເຮືອມາຮອດຊ້າ ແລະບໍ່ມີໃຜລໍຖ້າ',
  'သင်္ဘောနောက်ကျမှရောက်လာပြီး ဆိပ်ကမ်းမှာ ဘယ်သူမှမရှိဘူး။',
  'ខ្មែរ៖ កប៉ាល់មកដល់យឺត ហើយគ្មាននរណារង់ចាំទេ។',
  'გემი გვიან მოვიდა და ნავსადგურში არავინ იყო.',
  'Նավը ուշ եկավ, և նավահանգստում ոչ ոք չկար:',
  'መርከቡ ዘግይቶ መጣ፤ ማንም አልጠበቀውም።',
  '船来得很晚，码头上没有人等它。',
  '船は遅れて着き、港では誰も待っていなかった。カタカナも。',
  '배는 늦게 도착했고 항구에는 아무도 없었다.',
  'Con tàu đến muộn và không ai đợi ở bến cảng.',
  'Gəmi gec gəldi; łódź przypłynęła późno; skipið kom seint, þótt enginn biði.',
];

/** What some models answer with their largest activations where it stands at the start. */
const SHORT: readonly string[] = ['\n', 'Dear all:\n\tyes.\n\nNo', '…'];

/**
 * The sample texts for a model. Few and long ones, because every run reads all weights, and because positional
 * heads grow with the place.
 * @param encode token indices of a text, special tokens included @param longest positions of the model
 */
export function sampleTexts(encode: (text: string) => readonly number[], longest: number): number[][] {
  const prose = TEXTS.join('\n');
  const mixed = [SCRIPTS.join('\n'), TEXTS.join(' ')].join('\n');
  // A token is a character at least, so this is as long as the model takes.
  const full = mixed.repeat(Math.ceil((4 * longest) / mixed.length));
  return [...SHORT, prose, full].map((text) => encode(text).slice(0, longest)).filter((ids) => ids.length > 0);
}
