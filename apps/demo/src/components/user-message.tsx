/** Props of {@link UserMessage}. */
export interface UserMessageProps {
  readonly text: string;
  /** True until the server has stored it. */
  readonly sending: boolean;
}

/** A question. */
export function UserMessage({ text, sending }: UserMessageProps) {
  return (
    <article
      data-testid="message"
      data-role="user"
      data-status={sending ? 'sending' : 'sent'}
      aria-label="Your question"
      className="flex justify-end"
    >
      <p className="max-w-[85%] rounded-3xl rounded-br-lg bg-accent px-4.5 py-3 leading-relaxed wrap-anywhere whitespace-pre-wrap text-accent-foreground">
        {text}
      </p>
    </article>
  );
}
