//! World files that must load: ours, and those of a directory of the user's.
#![allow(clippy::disallowed_methods, reason = "a test reads files")]

use std::path::{Path, PathBuf};

use hairpin_lab::{World, load, parse, plan};

/// The `.yaml` files of a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

#[track_caller]
fn read(path: &Path) -> World {
    let path = path.to_str().unwrap();
    load(path, &mut |path| std::fs::read_to_string(path)).unwrap_or_else(|errors| panic!("\n{errors}\n"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_examples_load() {
    let files = files(&root().join("worlds"));
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let world = read(&file);
        assert!(!plan(&world).steps.is_empty());
    }
}

/// `HAIRPIN_WORLDS=DIRECTORY cargo test -p hairpin-lab` loads the worlds of that directory, too, and prints
/// their plans (with `-- --nocapture`).
#[test]
fn the_worlds_of_another_directory_load() {
    let Ok(directory) = std::env::var("HAIRPIN_WORLDS") else { return };
    let files = files(Path::new(&directory));
    assert!(!files.is_empty(), "no .yaml file in {directory}");
    for file in files {
        let world = read(&file);
        println!("# {}\n{}", world.name, plan(&world));
    }
}

/// Every example of the reference is a world, or a part of one that its info string names.
#[test]
fn the_examples_of_the_reference_parse() {
    let reference = root().join("docs/worlds.md");
    let text = std::fs::read_to_string(&reference).unwrap();
    let mut count = 0;
    let mut block: Option<(usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut block, line) {
            (None, "```yaml") => block = Some((number + 2, String::new())),
            (Some((start, yaml)), "```") => {
                let name = format!("docs/worlds.md from line {start}");
                if let Err(errors) = parse(&name, yaml) {
                    panic!("\n{errors}\n");
                }
                count += 1;
                block = None;
            }
            (Some((_, yaml)), line) => {
                yaml.push_str(line);
                yaml.push('\n');
            }
            _ => {}
        }
    }
    assert!(block.is_none(), "an unfinished example");
    assert!(count >= 3, "{count} examples");
}
