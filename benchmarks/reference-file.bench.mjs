/** Our handler on the file store against the reference server of the open protocol; see `lib/reference.mjs`. */
import { compareWithReference } from './lib/reference.mjs';

await compareWithReference('file');
