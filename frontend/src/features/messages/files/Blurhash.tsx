import { decode } from 'blurhash'
import { useEffect, useRef } from 'react'

const SIDE = 32

/** A picture's colours, before the picture itself is there. */
export default function Blurhash({ hash }: { hash: string }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (context == null) return
    try {
      const pixels = context.createImageData(SIDE, SIDE)
      pixels.data.set(decode(hash, SIDE, SIDE))
      context.putImageData(pixels, 0, 0)
    } catch {
      // What is no such hash leaves the plain ground.
    }
  }, [hash])
  return (
    <canvas
      ref={canvas}
      width={SIDE}
      height={SIDE}
      aria-hidden="true"
      className="absolute inset-0 size-full animate-appear"
    />
  )
}
