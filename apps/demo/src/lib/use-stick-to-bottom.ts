import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

/** What {@link useStickToBottom} returns. */
export interface StickToBottom {
  /** For the element that scrolls. */
  readonly scrollRef: RefObject<HTMLDivElement | null>;
  /** For the element inside it that grows. */
  readonly contentRef: RefObject<HTMLDivElement | null>;
  /** False while the reader has scrolled up and more is below. */
  readonly atBottom: boolean;
  /** Scrolls down, and follows what comes from now on. */
  readonly jump: (behavior?: ScrollBehavior) => void;
}

/** Nearer to the bottom than this counts as being there. */
const NEAR_PX = 56;

/** Follows growing content while the reader is at its end, and never moves what a reader who scrolled up is looking at. */
export function useStickToBottom(): StickToBottom {
  const scrollRef = useRef<HTMLDivElement>(null);
  const contentRef = useRef<HTMLDivElement>(null);
  /** Whether growth is followed. Only the reader changes it: growth alone must not look like scrolling up. */
  const following = useRef(true);
  const [atBottom, setAtBottom] = useState(true);

  const jump = useCallback((behavior: ScrollBehavior = 'smooth') => {
    following.current = true;
    setAtBottom(true);
    const scroll = scrollRef.current;
    scroll?.scrollTo({ top: scroll.scrollHeight, behavior });
  }, []);

  useEffect(() => {
    const [scroll, content] = [scrollRef.current, contentRef.current];
    if (!scroll || !content) return undefined;
    const near = (): boolean => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight <= NEAR_PX;
    let lastTop = scroll.scrollTop;
    const onScroll = (): void => {
      if (near()) following.current = true;
      else if (scroll.scrollTop < lastTop) following.current = false;
      lastTop = scroll.scrollTop;
      setAtBottom(near() || following.current);
    };
    const onGrowth = new ResizeObserver(() => {
      if (following.current) scroll.scrollTop = scroll.scrollHeight;
      setAtBottom(near() || following.current);
    });
    scroll.addEventListener('scroll', onScroll, { passive: true });
    onGrowth.observe(content);
    onGrowth.observe(scroll);
    scroll.scrollTop = scroll.scrollHeight;
    return () => {
      scroll.removeEventListener('scroll', onScroll);
      onGrowth.disconnect();
    };
  }, []);

  return { scrollRef, contentRef, atBottom, jump };
}
