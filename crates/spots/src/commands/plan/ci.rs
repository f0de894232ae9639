//! `spots plan ci`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct CiArgs {
    /// Whose steps.
    #[arg(value_enum, default_value = "github")]
    host: CodeHost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CodeHost {
    /// A workflow for GitHub Actions.
    Github,
    /// A job for GitLab.
    Gitlab,
}

const GITHUB: &str = r#"# .github/workflows/plan.yml
# The gate, before a merge: it fails the job, comments on the pull request, and marks the lines.
# `spots` must be on the PATH of the runner.
name: plan
on: pull_request
permissions:
  contents: read
  pull-requests: write
  security-events: write
jobs:
  check:
    runs-on: ubuntu-latest
    env:
      BASE: origin/${{ github.base_ref }}
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - run: spots plan check --base "$BASE"
      - if: always()
        run: |
          spots plan check --base "$BASE" --format markdown > plan.md || true
          spots plan check --base "$BASE" --format sarif > plan.sarif || true
      - if: always()
        run: gh pr comment "$NUMBER" --body-file plan.md --edit-last --create-if-none
        env:
          GH_TOKEN: ${{ github.token }}
          NUMBER: ${{ github.event.number }}
      - if: always()
        uses: github/codeql-action/upload-sarif@v3
        with:
          sarif_file: plan.sarif
"#;

const GITLAB: &str = r#"# .gitlab-ci.yml
# The gate, before a merge: it fails the job and comments on the merge request.
# `spots` and `jq` must be in the image; PLAN_TOKEN is a project token that may comment.
plan:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  variables:
    GIT_DEPTH: "0"
    BASE: origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME
  script:
    - spots plan check --base "$BASE"
  after_script:
    - spots plan check --base "$BASE" --format markdown > plan.md || true
    - spots plan check --base "$BASE" --format sarif > plan.sarif || true
    - |
      jq --null-input --rawfile body plan.md '{body: $body}' |
        curl --fail --header "PRIVATE-TOKEN: $PLAN_TOKEN" --header "Content-Type: application/json" --data @- \
          "$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
  artifacts:
    when: always
    paths: [plan.md, plan.sarif]
"#;

pub(crate) fn run(args: &CiArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    output.write(match args.host {
        CodeHost::Github => GITHUB,
        CodeHost::Gitlab => GITLAB,
    })?;
    Ok(ExitCode::SUCCESS)
}
