/* What the objects of a binary cache are served as, to clients and to the storage. (Nix: src/libstore/binary-cache-store.cc.) */
export const NAR_TYPE = 'application/x-nix-nar';
export const NARINFO_TYPE = 'text/x-nix-narinfo';
export const INFO_TYPE = 'text/x-nix-cache-info';
export const LOG_TYPE = 'text/plain; charset=utf-8';
/** Listings, realisations, debuginfo. */
export const JSON_TYPE = 'application/json';
