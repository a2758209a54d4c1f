//! Pages of graphs in a real browser: no box lies on another one, nothing is written to the console, every line of the
//! program finds its boxes; in light and dark, on a screen and on a phone. `NNC_SHOTS=folder` keeps the screenshots.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::Place;
use common::browser::{Look, browser, load, title};
use serde_json::Value;

const XOR: &str = "data { 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }\ndense 16 relu\ndense 1 sigmoid\nloss mse\noptimizer adam\nmetrics binary_accuracy\n";
const CNN: &str = "data blobs 40 classes=3 dims=144 seed=1\nreshape 12x12x1\nconv 8 3x3 relu; maxpool 2x2\nconv 16 3x3 relu; maxpool 2x2\ndropout 0.5\nflatten\ndense 3 softmax\nloss crossentropy; metrics accuracy\n";
const RESNET: &str = "layer block(channels) {\n  a = it -> conv channels 3x3 same -> batchnorm -> relu\n  b = a -> conv channels 3x3 same -> batchnorm\n  it + b -> relu\n}\n\
    data blobs 40 classes=3 dims=192 seed=1\nreshape 8x8x3\nconv 8 3x3 same relu\nrepeat 3 { block 8 }\nglobal_avgpool\ndense 3 softmax\nloss crossentropy\n";
const GPT: &str = "data text \"t.txt\" window=16\nshared tokens = embed 16\ninput -> tokens -> positions\nrepeat 2 { transformer 2 causal }\nlayernorm\nit @ transpose(tokens.table)\nsoftmax\nloss crossentropy\noptimizer adamw lr=0.001\n";

/// Opens everything, measures, and leaves what was found in the title of the page.
const MEASURE: &str = r#"<script>
addEventListener('load', () => setTimeout(() => {
  const found = { overlaps: [], boxes: 0, outside: [], texts: 0, lit: 0, stages: 0 };
  const rect = g => g.querySelector(':scope > rect').getBoundingClientRect();
  const measure = what => {
    for (const g of document.querySelectorAll('#panes svg g')) {
      const boxes = [...g.children].filter(c => c.classList.contains('box'));
      boxes.forEach((a, i) => {
        found.boxes++;
        const r = rect(a);
        for (const b of boxes.slice(i + 1)) {
          const s = rect(b), e = 0.5;
          if (r.left + e < s.right && s.left + e < r.right && r.top + e < s.bottom && s.top + e < r.bottom)
            found.overlaps.push(what + ': ' + a.getAttribute('aria-label') + ' | ' + b.getAttribute('aria-label'));
        }
        for (const t of a.querySelectorAll(':scope > text')) {
          found.texts++;
          const w = t.getBoundingClientRect();
          if (w.right > r.right + 1 || w.left < r.left - 1) found.outside.push(what + ': ' + t.textContent);
        }
      });
    }
  };
  for (const button of document.querySelectorAll('#stages button')) {
    found.stages++;
    button.click();
    document.getElementById('fold').click();
    measure(button.textContent + ', closed');
    document.getElementById('unfold').click();
    measure(button.textContent + ', open');
    document.getElementById('fold').click();
  }
  document.querySelectorAll('#stages button')[3].click();
  const line = [...document.querySelectorAll('#source li')].find(li => /^ *(dense|conv) /.test(li.textContent.replace(/^\d+/, '')) || /transformer/.test(li.textContent));
  line.click();
  found.lit = document.querySelectorAll('#panes g.box.lit, #panes g.box.holds').length;
  found.wide = document.documentElement.scrollWidth - innerWidth;
  document.title = JSON.stringify(found);
}, 100));
</script>"#;

#[test]
fn pages_are_whole_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium here; NNC_BROWSER names one");
        return;
    };
    let shots = std::env::var_os("NNC_SHOTS").map(std::path::PathBuf::from);
    for (name, text) in [("xor", XOR), ("cnn", CNN), ("resnet", RESNET), ("gpt", GPT)] {
        let place = Place::new();
        place.write("t.txt", &"the quick brown fox jumps over the lazy dog; ".repeat(20));
        place.write(&format!("{name}.nn"), text);
        place.nnc(&["graph", &format!("{name}.nn"), "--stage", "step", "--out", "page.html"]).fine();
        let page = std::fs::read_to_string(place.path("page.html")).unwrap();
        assert!(
            page.contains(&format!("<title>{name}.nn</title>")) && page.len() < 1 << 20,
            "{}",
            page.len()
        );
        let measured = place.write("measured.html", &page.replace("</body>", &format!("{MEASURE}</body>")));
        for (size, dark, what) in
            [((1400, 900), false, "light"), ((1400, 900), true, "dark"), ((400, 800), false, "phone")]
        {
            let (dom, console) = load(&browser, &place, &measured, &Look { size, dark, shot: None });
            let errors: Vec<&str> = console.lines().filter(|l| l.contains("CONSOLE")).collect();
            assert!(errors.is_empty(), "{name}, {what}: {errors:?}");
            let title = title(&dom);
            let found: Value =
                serde_json::from_str(&title).unwrap_or_else(|e| panic!("{name}, {what}: {e}: {title}"));
            assert_eq!(found["overlaps"], Value::Array(Vec::new()), "{name}, {what}");
            assert_eq!(found["outside"], Value::Array(Vec::new()), "{name}, {what}");
            assert_eq!(found["stages"], 5, "{name}, {what}");
            assert!(
                found["boxes"].as_u64() > Some(30) && found["lit"].as_u64() > Some(0),
                "{name}, {what}: {found}"
            );
            assert!(found["wide"].as_i64() <= Some(0), "{name}, {what}: wider than the window: {found}");
            if let Some(shots) = &shots {
                std::fs::create_dir_all(shots).unwrap();
                let shot = shots.join(format!("{name}-{what}.png"));
                load(&browser, &place, &place.path("page.html"), &Look { size, dark, shot: Some(&shot) });
            }
        }
    }
}

#[test]
fn what_a_program_says_is_text_on_the_page() {
    let place = Place::new();
    place.write(
        "a.nn",
        &format!("# </script><script>alert(1)</script> <!-- \u{2028} {{{{data}}}} & \"ü\"\n{XOR}"),
    );
    let page = place.nnc(&["graph", "a.nn", "--format", "html"]).fine();
    assert_eq!(page.matches("</script").count(), 2, "the page's own two");
    assert!(!page.contains("<script>alert") && !page.contains('\u{2028}'));
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    // Only what the person wrote, and all of that.
    assert_eq!(data["files"].as_array().unwrap().len(), 1);
    let text = data["files"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("# </script><script>alert(1)") && text.contains("{{data}}"));
    assert_eq!(page, place.nnc(&["graph", "a.nn", "--format", "html"]).fine(), "the same each time");
}
