//! A real Chromium with a profile of its own.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chromiumoxide::cdp::browser_protocol::emulation::{MediaFeature, SetEmulatedMediaParams};
use chromiumoxide::handler::viewport::Viewport;
use chromiumoxide::page::ScreenshotParams;
use chromiumoxide::{BrowserConfig, Page};
use futures_util::StreamExt as _;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Where Debian puts it, and where others do.
const PROGRAMS: &[&str] = &[
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
];
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often it is looked at before it is given up.
const LOOKS_MAX: u32 = 600;
/// Keeps it from looking for the network that is not there.
const ARGUMENTS: &[&str] = &[
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A browser; ends with the value.
#[derive(Debug)]
pub struct Browser {
    browser: chromiumoxide::Browser,
    events: JoinHandle<()>,
    _profile: TempDir,
}

impl Browser {
    /// Starts one with an empty profile.
    pub async fn start() -> anyhow::Result<Self> {
        let program = PROGRAMS.iter().find(|program| Path::new(program).exists());
        let program = program.context("there is no Chromium; install Debian's package chromium")?;
        let profile = tempfile::tempdir()?;
        let config = BrowserConfig::builder()
            .chrome_executable(program)
            .no_sandbox()
            .new_headless_mode()
            .user_data_dir(profile.path())
            .launch_timeout(Duration::from_secs(120))
            .request_timeout(Duration::from_secs(120))
            .viewport(Viewport {
                width: 1280,
                height: 900,
                ..Viewport::default()
            })
            .args(ARGUMENTS.iter().copied())
            .build()
            .map_err(|cause| anyhow!("failed to set the browser up: {cause}"))?;
        let (browser, mut handler) = chromiumoxide::Browser::launch(config).await?;
        let events = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Ok(Self {
            browser,
            events,
            _profile: profile,
        })
    }

    /// Opens an address in a tab of its own.
    pub async fn open(&self, address: &str) -> anyhow::Result<Tab> {
        let page = self.browser.new_page(address).await?;
        page.wait_for_navigation().await?;
        Ok(Tab { page })
    }

    /// Closes it and waits until it is gone.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.browser.close().await?;
        self.browser.wait().await?;
        self.events.abort();
        Ok(())
    }
}

/// One tab.
#[derive(Debug)]
pub struct Tab {
    page: Page,
}

impl Tab {
    /// Goes to an address.
    pub async fn go(&self, address: &str) -> anyhow::Result<()> {
        self.page
            .goto(address)
            .await
            .with_context(|| format!("failed to open {address}"))?;
        Ok(())
    }

    /// The address it shows.
    pub async fn address(&self) -> anyhow::Result<String> {
        self.page.url().await?.context("the tab shows no address")
    }

    /// Clicks what the selector finds.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let element = self.find(selector).await?;
        element.scroll_into_view().await?;
        element.click().await?;
        Ok(())
    }

    /// Clicks, and waits until another page is there.
    pub async fn click_through(&self, selector: &str) -> anyhow::Result<()> {
        self.ask::<bool>("document.documentElement.dataset.left = 'behind'; true")
            .await?;
        self.click(selector).await?;
        let arrived =
            "document.readyState === 'complete' && !document.documentElement.dataset.left";
        self.until(arrived)
            .await
            .with_context(|| format!("{selector} led nowhere"))
    }

    /// Types into an input, key by key, after what is there was removed.
    pub async fn fill(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let clear = format!(
            "document.querySelector({}).value = ''; true",
            quoted(selector)
        );
        self.ask::<bool>(&clear).await?;
        self.find(selector)
            .await?
            .click()
            .await?
            .type_str(text)
            .await?;
        Ok(())
    }

    /// The text that people see in what the selector finds.
    pub async fn text(&self, selector: &str) -> anyhow::Result<String> {
        Ok(self
            .find(selector)
            .await?
            .inner_text()
            .await?
            .unwrap_or_default())
    }

    /// Whether the page shows a text anywhere.
    pub async fn shows(&self, text: &str) -> anyhow::Result<bool> {
        self.ask(&format!(
            "document.body.innerText.includes({})",
            quoted(text)
        ))
        .await
    }

    /// The whole document as it stands.
    pub async fn html(&self) -> anyhow::Result<String> {
        Ok(self.page.content().await?)
    }

    /// The value of an expression.
    pub async fn ask<T: serde::de::DeserializeOwned>(&self, script: &str) -> anyhow::Result<T> {
        let answer = self.page.evaluate(script).await;
        Ok(answer
            .with_context(|| format!("failed to ask: {script}"))?
            .into_value()?)
    }

    /// Waits until an expression is true.
    pub async fn until(&self, condition: &str) -> anyhow::Result<()> {
        for _ in 0..LOOKS_MAX {
            // Between two pages there is nothing to ask; that is no failure yet.
            if self.ask::<bool>(condition).await.unwrap_or(false) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(anyhow!("it never came true: {condition}"))
    }

    /// Sets the width of the window, and whether the reader prefers dark.
    pub async fn look(&self, width: i64, dark: bool) -> anyhow::Result<()> {
        use chromiumoxide::cdp::browser_protocol::emulation::SetDeviceMetricsOverrideParams;
        let size = SetDeviceMetricsOverrideParams::new(width, 900, 1.0, width < 600);
        self.page.execute(size).await?;
        let scheme = if dark { "dark" } else { "light" };
        let scheme = MediaFeature::new("prefers-color-scheme", scheme);
        self.page
            .execute(SetEmulatedMediaParams::builder().feature(scheme).build())
            .await?;
        Ok(())
    }

    /// Writes a picture of the whole page as PNG.
    pub async fn picture(&self, path: &Path) -> anyhow::Result<()> {
        let whole = ScreenshotParams::builder().full_page(true).build();
        self.page.save_screenshot(whole, path).await?;
        Ok(())
    }

    async fn find(&self, selector: &str) -> anyhow::Result<chromiumoxide::Element> {
        let found = self.page.find_element(selector).await;
        found.with_context(|| format!("the page has no {selector}"))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
