/** As large as a picture of a user is ever shown, on the sharpest screens. */
const SIDE = 512
const SMALL_ENOUGH = 200_000
const QUALITY = 0.9

/** The middle of a picture, as a square that is quickly sent; a small one, or what cannot be decoded here, as it is. */
export async function squared(picture: File): Promise<Blob> {
  if (picture.size <= SMALL_ENOUGH) return picture
  try {
    const bitmap = await createImageBitmap(picture)
    const least = Math.min(bitmap.width, bitmap.height)
    const side = Math.min(SIDE, least)
    const canvas = new OffscreenCanvas(side, side)
    const [x, y] = [(bitmap.width - least) / 2, (bitmap.height - least) / 2]
    canvas.getContext('2d')?.drawImage(bitmap, x, y, least, least, 0, 0, side, side)
    bitmap.close()
    return await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY })
  } catch {
    return picture
  }
}
