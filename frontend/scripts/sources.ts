import { defaultClientConditions } from 'vite'

/** Takes the client library from its sources: nothing has to be built before, and a change of it reloads the page. */
export const fromSources = { conditions: ['synctalk-source', ...defaultClientConditions] }
