'use client';

import { useEffect, useRef, useState } from 'react';

import { ApiError, postImport } from './api.ts';
import { newId } from './ids.ts';
import type { Picked } from './picked-files.ts';
import { sendFiles } from './upload.ts';

/** Where the sending of files is. */
export type SendingState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sending'; readonly label: string; readonly sent: number; readonly total: number }
  | { readonly kind: 'failed'; readonly message: string; readonly retry: (() => void) | null };

/** What {@link useImport} returns. */
export interface ImportActions {
  readonly state: SendingState;
  /** Sends files and begins their import. */
  readonly importFiles: (picking: Picked | Promise<Picked>) => Promise<void>;
  /** Imports a folder of the server. */
  readonly importFolder: (path: string) => Promise<boolean>;
}

const IDLE: SendingState = { kind: 'idle' };

/** Begins imports. `onBegun` is called once the server has taken one over. */
export function useImport(onBegun: () => void): ImportActions {
  const [state, setState] = useState<SendingState>(IDLE);
  const leaving = useRef<AbortController | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    leaving.current = controller;
    return () => controller.abort();
  }, []);

  const send = async (id: string, { label, files }: Picked): Promise<void> => {
    const signal = leaving.current?.signal ?? AbortSignal.abort();
    const total = files.length;
    setState({ kind: 'sending', label, sent: 0, total });
    try {
      await sendFiles(id, files, { signal, onProgress: (sent) => setState({ kind: 'sending', label, sent, total }) });
      await postImport({ from: 'upload', id, label, files: total });
      setState(IDLE);
      onBegun();
    } catch (error) {
      // Under the same id, so that nothing is sent to no purpose twice.
      if (!signal.aborted)
        setState({ kind: 'failed', message: messageOf(error), retry: () => void send(id, { label, files }) });
    }
  };
  return {
    state,
    importFiles: async (picking) => {
      const picked = await picking;
      if (picked.files.length > 0) return send(newId(), picked);
      setState({ kind: 'failed', message: `There are no Markdown files in “${picked.label}”.`, retry: null });
    },
    importFolder: async (path) => {
      try {
        await postImport({ from: 'folder', id: newId(), path });
        setState(IDLE);
        onBegun();
        return true;
      } catch (error) {
        setState({ kind: 'failed', message: messageOf(error), retry: null });
        return false;
      }
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof ApiError ? error.message : 'The files could not be sent.';
}
