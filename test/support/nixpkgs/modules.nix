# The module system, as small as module.nix needs it: options with types and defaults, and what
# modules define of them, by the priorities and conditions of mkIf, mkMerge, mkDefault.

let
  inherit (builtins)
    all
    attrNames
    concatMap
    elem
    filter
    foldl'
    head
    isAttrs
    isBool
    isFunction
    isInt
    isList
    isPath
    isString
    mapAttrs
    substring
    ;

  wrapped = kind: attributes: attributes // { _type = kind; };
  kindOf = value: if isAttrs value then value._type or null else null;
  lowest = foldl' (least: number: if number < least then number else least) 9999;
  union = foldl' (all: more: all // more) { };

  # What a definition defines of attribute `name`; its conditions stay around it, unforced.
  under =
    name: definition:
    let
      kind = kindOf definition;
    in
    if kind == "if" then
      map (content: definition // { inherit content; }) (under name definition.content)
    else if kind == "override" then
      map (content: definition // { inherit content; }) (under name definition.content)
    else if kind == "merge" then
      concatMap (under name) definition.contents
    else if isAttrs definition && definition ? ${name} then
      [ definition.${name} ]
    else
      [ ];

  # What holds of a definition, each with its priority: the lowest number counts.
  holding =
    definition:
    let
      kind = kindOf definition;
    in
    if kind == "if" then
      if definition.condition then holding definition.content else [ ]
    else if kind == "merge" then
      concatMap holding definition.contents
    else if kind == "override" then
      map (found: found // { inherit (definition) priority; }) (holding definition.content)
    else
      [
        {
          priority = 100;
          value = definition;
        }
      ];

  # The value that definitions of one thing make of it by its type.
  merge =
    path: type: definitions:
    let
      found = concatMap holding definitions;
      counts = lowest (map (definition: definition.priority) found);
      values = map (definition: definition.value) (filter (definition: definition.priority == counts) found);
      wrong = filter (value: !type.check value) values;
    in
    if values == [ ] then
      throw "${path} is used but not defined"
    else if wrong != [ ] then
      throw "${path} is no ${type.name}"
    else
      type.merge path values;

  one =
    path: values:
    if all (value: value == head values) values then head values else throw "${path} has conflicting values";
  simple = name: check: {
    inherit name check;
    merge = one;
  };
  ofAttributes =
    type: path: values:
    mapAttrs (name: _: merge "${path}.${name}" type (concatMap (under name) values)) (union values);

  types = rec {
    bool = simple "bool" isBool;
    int = simple "int" isInt;
    str = simple "str" isString;
    path = simple "path" (value: isPath value || (isString value && substring 0 1 value == "/"));
    package = simple "package" (value: isAttrs value && value.type or null == "derivation");
    enum = values: simple "enum" (value: elem value values);
    listOf = item: {
      name = "list";
      check = isList;
      merge = place: lists: map (value: merge place item [ value ]) (builtins.concatLists lists);
    };
    attrsOf = item: {
      name = "attributes";
      check = isAttrs;
      merge = ofAttributes item;
    };
    oneOf = choices: {
      name = "any of the choices";
      check = value: builtins.any (choice: choice.check value) choices;
      merge =
        path: values: (head (filter (choice: all choice.check values) choices)).merge path values;
    };
    either = left: right: oneOf [ left right ];
    nullOr = item: oneOf [ (simple "null" (value: value == null)) item ];
    anything = oneOf [
      package
      (attrsOf anything)
      (listOf anything)
      (simple "anything" (_: true))
    ];
  };

  # What a default counts as: the least of all definitions.
  unset =
    content:
    wrapped "override" {
      inherit content;
      priority = 1500;
    };

  # The configuration of a tree of options.
  configured =
    path: options: definitions:
    let
      unknown = filter (name: !(options ? ${name})) (
        concatMap (definition: attrNames (plain definition)) definitions
      );
      plain = definition: if kindOf definition == null then definition else { };
    in
    if kindOf options == "option" then
      merge path options.type (definitions ++ (if options ? default then [ (unset options.default) ] else [ ]))
    else if unknown != [ ] then
      throw "there is no option ${path}.${head unknown}"
    else
      mapAttrs (
        name: option: configured "${path}.${name}" option (concatMap (under name) definitions)
      ) options;

  merged =
    trees:
    if builtins.length trees == 1 || kindOf (head trees) == "option" then
      head trees
    else
      mapAttrs (
        name: _: merged (map (tree: tree.${name}) (filter (tree: tree ? ${name}) trees))
      ) (union trees);
in
{
  inherit types;
  mkOption = wrapped "option";
  mkEnableOption =
    description:
    wrapped "option" {
      inherit description;
      type = types.bool;
      default = false;
    };
  mkIf = condition: content: wrapped "if" { inherit condition content; };
  mkMerge = contents: wrapped "merge" { inherit contents; };
  mkDefault =
    content:
    wrapped "override" {
      inherit content;
      priority = 1000;
    };

  evalModules =
    { modules, specialArgs }:
    let
      config = configured "config" (merged (map (module: module.options or { }) called)) (
        map (module: module.config or (removeAttrs module [ "options" ])) called
      );
      called = map call modules;
      call =
        module:
        if isPath module then
          call (import module)
        else if isFunction module then
          module (specialArgs // { inherit config; })
        else
          module;
    in
    { inherit config; };
}
