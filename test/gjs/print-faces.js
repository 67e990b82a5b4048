/*
 * Prints what a module exports, with the members of its classes and the values of its constants:
 * `gjs -m print-faces.js MODULE`
 */
import Gio from "gi://Gio?version=2.0";
import GObject from "gi://GObject?version=2.0";

/** What GJS itself looks for, or makes: GObject's spelling of a property's name. */
function isGjsOwn(name) {
  return name.startsWith("_") || name.startsWith("vfunc_") || name.includes("-");
}

function members(class_) {
  const names = new Set();
  for (let { prototype } = class_; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    if (prototype === GObject.Object.prototype || prototype === Object.prototype) break;
    for (const name of Object.getOwnPropertyNames(prototype)) if (name !== "constructor" && !isGjsOwn(name)) names.add(name);
  }
  return [...names];
}

function statics(class_) {
  return Object.getOwnPropertyNames(class_).filter((name) => !["prototype", "length", "name", "$gtype"].includes(name));
}

function faceOf(value) {
  if (value.prototype && members(value).length > 0) return { members: members(value), statics: statics(value) };
  return Object.keys(value).length > 0 ? { constants: { ...value } } : {};
}

const module = await import(Gio.File.new_for_commandline_arg(ARGV[0]).get_uri());
print(JSON.stringify(Object.fromEntries(Object.entries(module).map(([name, value]) => [name, faceOf(value)]))));
