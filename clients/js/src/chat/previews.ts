import type { LinkPreview, Message } from '../contracts.js'

const WEB = /^https?:\/\//i

/** The previews of a message that can be shown: none of a server of before, and none that leads out of the web. */
export function previewsOf({ previews = [] }: Message): readonly LinkPreview[] {
  return previews.every(isShown) ? previews : previews.filter(isShown)
}

const isShown = ({ url }: LinkPreview): boolean => WEB.test(url) && URL.canParse(url)
