/** What leads into the app: where one goes after signing in, and the ways in that the server offers. */
import { useEffect, useState } from 'react'
import { PASSWORD_ALONE, readProviders, type Providers } from '@synctalk/client/auth/entry'

/** What the sign-in page keeps beside its address. */
export interface Entry {
  /** The path that was wanted, for after signing in. */
  from?: string
  /** The state of that path. */
  then?: unknown
  /** The one-time code with which an identity provider led back. */
  code?: string
}

/** Null until the server has responded; what can't be read is the usual. */
export function useProviders(): Providers | null {
  const [providers, setProviders] = useState<Providers | null>(null)
  useEffect(() => {
    readProviders().then(setProviders, () => setProviders(PASSWORD_ALONE))
  }, [])
  return providers
}
