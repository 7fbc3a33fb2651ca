# nix_realpath: absolute paths without symbolic links, as GNU realpath prints them, but paths in the
# Nix store and its state directory keep the names that these have for Nix. For POSIX sh; `[ -ef ]`
# and, where there are links, the program readlink are needed besides. Options: -e -m -E -L -P -s -q
# -z --; NIX_STORE_DIR (or NIX_STORE, as in builds) and NIX_STATE_DIR name the directories.

# The name of a path, $1, is put into $nrp_path. All that is used here lies in a subshell.
_nrp_canonical() {
  nrp_rest=$1
  nrp_links=0
  nrp_fault='No such file or directory'
  case $1 in
    '') return 1 ;;
    /*) nrp_path= ;;
    *)
      nrp_path=$(pwd -P && echo .) || return 1
      nrp_path=${nrp_path%??}
      nrp_path=${nrp_path%/}
      ;;
  esac
  while :; do
    while :; do case $nrp_rest in /*) nrp_rest=${nrp_rest#/} ;; *) break ;; esac; done
    nrp_part=${nrp_rest%%/*}
    nrp_rest=${nrp_rest#"$nrp_part"}
    case $nrp_part in
      '') break ;;
      .) continue ;;
      ..)
        nrp_path=${nrp_path%/*}
        continue
        ;;
    esac
    nrp_parent=$nrp_path
    nrp_path=$nrp_parent/$nrp_part
    if [ "$nrp_follow" ] && [ -h "$nrp_path" ]; then
      nrp_links=$((nrp_links + 1))
      if [ "$nrp_links" -gt 256 ]; then
        nrp_fault='Too many levels of symbolic links'
        return 1
      fi
      nrp_target=$(readlink "$nrp_path" && echo .) || {
        nrp_fault='cannot be read by the program readlink'
        return 1
      }
      nrp_target=${nrp_target%??}
      case $nrp_target in /*) nrp_path= ;; *) nrp_path=$nrp_parent ;; esac
      nrp_rest=$nrp_target$nrp_rest
      continue
    fi
    [ "$nrp_need" != none ] || continue
    nrp_next=$nrp_rest
    while :; do
      case $nrp_next in /*) nrp_next=${nrp_next#/} ;; ./*) nrp_next=${nrp_next#./} ;; *) break ;; esac
    done
    case $nrp_follow$nrp_next in '' | . | .. | ../* | yes*) ;; *) continue ;; esac
    if [ -e "$nrp_path" ]; then
      [ "$nrp_rest" ] && [ ! -d "$nrp_path" ] || continue
      nrp_fault='Not a directory'
      return 1
    fi
    nrp_up=$nrp_parent
    while [ "$nrp_up" ] && [ ! -e "$nrp_up" ]; do nrp_up=${nrp_up%/*}; done
    if [ ! -d "${nrp_up:-/}" ]; then
      nrp_fault='Not a directory'
      return 1
    fi
    case $nrp_need$nrp_rest in all | all/* | *-last*[!/]*) return 1 ;; esac
    if [ ! -x "${nrp_up:-/}" ]; then
      nrp_fault='Permission denied'
      return 1
    fi
  done
  nrp_path=${nrp_path:-/}
}

# Gives $nrp_path the logical name of the first directory of "$@" in which it lies.
_nrp_logical() {
  for nrp_dir; do
    case $nrp_path/ in "$nrp_dir"/*) return ;; esac
  done
  nrp_at=$nrp_path
  while [ "${nrp_at%/}" ]; do
    for nrp_dir; do
      if [ "$nrp_at" -ef "$nrp_dir" ]; then
        nrp_path=$nrp_dir${nrp_path#"$nrp_at"}
        return
      fi
    done
    nrp_at=${nrp_at%/*}
  done
}

nix_realpath() (
  nrp_need=all-but-last nrp_links_mode=physical nrp_quiet= nrp_end='\n' nrp_status=0
  IFS= OPTIND=1
  while getopts :eEmLPsqz nrp_option; do
    case $nrp_option in
      e) nrp_need=all ;;
      E) nrp_need=all-but-last ;;
      m) nrp_need=none ;;
      L) nrp_links_mode=logical ;;
      P) nrp_links_mode=physical ;;
      s) nrp_links_mode=none ;;
      q) nrp_quiet=yes ;;
      z) nrp_end='\0' ;;
      *)
        printf 'nix_realpath: no such option here: see the program nix-realpath\n' >&2
        exit 1
        ;;
    esac
  done
  shift $((OPTIND - 1))
  if [ $# -eq 0 ]; then
    printf 'nix_realpath: missing operand\n' >&2
    exit 1
  fi
  nrp_store=${NIX_STORE_DIR:-${NIX_STORE:-/nix/store}}
  nrp_store=${nrp_store%/}
  nrp_state=${NIX_STATE_DIR:-${nrp_store%/*}/var/nix}
  for nrp_name; do
    case $nrp_links_mode in physical) nrp_follow=yes ;; *) nrp_follow= ;; esac
    if _nrp_canonical "$nrp_name" &&
      { [ "$nrp_links_mode" != logical ] || { nrp_follow=yes && _nrp_canonical "$nrp_path"; }; }; then
      _nrp_logical "$nrp_store" "$nrp_state" "${NIX_STATE_DIR:-/nix/var/nix}"
      printf "%s$nrp_end" "$nrp_path"
    else
      nrp_status=1
      [ "$nrp_quiet" ] || printf 'nix_realpath: %s: %s\n' "$nrp_name" "$nrp_fault" >&2
    fi
  done
  exit "$nrp_status"
)
