import { z } from 'zod';

import { MAX_DOCUMENT_BYTES } from './document-name.ts';
import { idSchema } from './ids.ts';

/** Longest name of a file or an import. */
const MAX_NAME_LENGTH = 400;
/** Files of one upload request. */
export const MAX_UPLOAD_FILES = 100;
/** Bytes of one upload request, before base64: the largest document and what else fits. */
export const MAX_UPLOAD_BYTES = MAX_DOCUMENT_BYTES + 1024 * 1024;

const nameSchema = z.string().trim().min(1, 'must not be empty').max(MAX_NAME_LENGTH, 'is too long');

/** Body of `POST /api/imports/<id>/files`: some of the files of an import. Sending the same `part` again changes nothing. */
export const uploadSchema = z.object({
  part: z.number().int().nonnegative(),
  files: z
    .array(
      z.union([
        // Names are relative to the folder, with forward slashes.
        z.object({ name: nameSchema, content: z.base64('must be base64') }),
        z.object({ name: nameSchema, problem: z.enum(['TOO_LARGE', 'UNREADABLE']) }),
      ]),
    )
    .min(1, 'must not be empty')
    .max(MAX_UPLOAD_FILES, `may have ${MAX_UPLOAD_FILES} files`),
});

/** See {@link uploadSchema}. */
export type UploadRequest = z.infer<typeof uploadSchema>;

/** Body of `POST /api/imports`: take in what was sent under the id, or a folder of the server. Sending the same `id` again changes nothing. */
export const importSchema = z.discriminatedUnion('from', [
  z.object({
    from: z.literal('upload'),
    id: idSchema,
    label: nameSchema,
    /** Files that were sent: all of them have to be there. */
    files: z.number().int().positive('must be at least 1'),
  }),
  z.object({
    from: z.literal('folder'),
    id: idSchema,
    /** Relative to the folder that imports may come from. */
    path: nameSchema,
  }),
]);

/** See {@link importSchema}. */
export type ImportRequest = z.infer<typeof importSchema>;
