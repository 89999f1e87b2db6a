import { stemmer } from 'stemmer';

/** Words of a question that say nothing about what is asked. */
const STOP_WORDS = new Set(
  (
    'a about after all also am an and any are as at be because been before being between both but by can could describe did do does ' +
    'doing done each explain few find for from further get gets give had happen happens has have having he her here how i if in into is ' +
    'it its just know let like make makes mean means me more most must my need no nor not now of off on once one only or other our out ' +
    'over own please same say says she should show so some such tell than that the their them then there these they this those through ' +
    'to too under until up use used uses using very want was way we were what when where which while who whom why will with work works ' +
    'would you your document documents docs documentation'
  ).split(' '),
);

/** Splits at anything that is neither letter nor digit, so that `PRODUCER_LOST` is found by its words too. */
export function toWords(text: string): string[] {
  return text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}

/** A word as the index keeps it, reduced to its stem; null for one that says nothing. */
export function toTerm(word: string): string | null {
  const term = word.toLowerCase().normalize('NFKC');
  return STOP_WORDS.has(term) || /^[a-z]$/.test(term) ? null : stemmer(term);
}

/** The distinct terms of a text, in order. */
export function toTerms(text: string): string[] {
  return [
    ...new Set(
      toWords(text)
        .map(toTerm)
        .filter((term) => term !== null),
    ),
  ];
}
