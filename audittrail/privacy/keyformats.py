"""Keys whose issuers published what they look like."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audittrail.privacy.detector import Detector
from audittrail.privacy.finding import Find, Text
from audittrail.privacy.pattern import linear

_W = r"[A-Za-z0-9_-]"
_A = r"[A-Za-z0-9]"

# Whose, and what one looks like, in syntax that google-re2 and hyperscan share.
FORMATS: tuple[tuple[str, str], ...] = (
    ("AuditTrail", rf"sk-at-{_W}{{16,}}"),
    ("AWS access key id", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    ("AWS Bedrock", r"ABSK[A-Za-z0-9+/]{60,}={0,2}"),
    ("GitHub", rf"gh[pousr]_{_A}{{36,}}"),
    ("GitHub fine-grained", r"github_pat_[A-Za-z0-9_]{60,}"),
    ("GitLab", rf"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|oas)-{_W}{{20,}}"),
    ("Slack", r"xox[abeoprs](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}"),
    ("Slack app", r"xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]{16,}"),
    ("Slack webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{30,}"),
    ("Stripe", rf"(?:sk|rk)_(?:live|test|prod)_{_A}{{16,}}"),
    ("Stripe webhook", r"whsec_[A-Za-z0-9+/]{24,}={0,2}"),
    ("OpenAI", rf"sk-(?:proj|svcacct|admin|service)-{_W}{{20,}}"),
    ("OpenAI legacy", rf"sk-{_A}{{20}}T3BlbkFJ{_A}{{20}}"),
    ("sk-", rf"sk-{_A}{{32,}}"),  # DeepSeek, Moonshot and everyone who speaks OpenAI's protocol
    ("Anthropic", rf"sk-ant-{_W}{{20,}}"),
    ("OpenRouter", r"sk-or-v1-[a-f0-9]{40,}"),
    ("Langfuse", r"sk-lf-[a-f0-9-]{36}"),
    ("LangSmith", r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),
    ("Groq", rf"gsk_{_A}{{40,}}"),
    ("xAI", rf"xai-{_A}{{60,}}"),
    ("Perplexity", rf"pplx-{_A}{{40,}}"),
    ("Replicate", rf"r8_{_A}{{37,}}"),
    ("Hugging Face", r"hf_[A-Za-z]{30,}"),
    ("Google API", rf"AIza{_W}{{35}}"),
    ("Google OAuth secret", rf"GOCSPX-{_W}{{24,}}"),
    ("Google OAuth token", rf"ya29\.{_W}{{20,}}"),
    ("Google refresh token", rf"1//0{_W}{{30,}}"),
    ("Azure AD client secret", r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    ("Azure storage", r"[A-Za-z0-9+/]{76}[A-Za-z0-9+/]{0,6}\+AStA?[A-Za-z0-9+/]{0,4}=="),
    ("Twilio", r"SK[0-9a-f]{32}"),
    ("SendGrid", rf"SG\.{_W}{{16,32}}\.{_W}{{32,64}}"),
    ("Mailgun", r"key-[0-9a-f]{32}"),
    ("Mailchimp", r"[0-9a-f]{32}-us\d{1,2}"),
    ("Brevo", rf"xkeysib-[a-f0-9]{{64}}-{_A}{{16}}"),
    ("npm", rf"npm_{_A}{{36}}"),
    ("PyPI", rf"pypi-AgE{_W}{{50,}}"),
    ("RubyGems", r"rubygems_[a-f0-9]{48}"),
    ("Docker", rf"dckr_(?:pat|oat)_{_W}{{20,}}"),
    ("DigitalOcean", r"do[opr]_v1_[a-f0-9]{64}"),
    ("Shopify", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("Square", rf"sq0(?:atp|csp|idp)-{_W}{{22,}}"),
    ("Telegram bot", rf"\d{{8,10}}:AA{_W}{{32,35}}"),
    ("Discord bot", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"),
    ("Discord webhook", rf"discord(?:app)?\.com/api/webhooks/\d{{16,20}}/{_W}{{60,}}"),
    ("Databricks", r"dapi[a-f0-9]{32}(?:-\d)?"),
    ("Linear", rf"lin_(?:api|oauth)_{_A}{{32,}}"),
    ("Notion", rf"ntn_{_A}{{40,}}"),
    ("Notion legacy", rf"secret_{_A}{{43}}"),
    ("Cloudflare", rf"cf(?:ut|at|k)_{_W}{{40,}}"),
    ("Cloudflare origin", r"v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}"),
    ("Heroku", rf"HRKU-{_W}{{36,}}"),
    ("Atlassian", r"ATATT3[A-Za-z0-9_=-]{100,}"),
    ("Grafana", rf"glsa_{_A}{{32}}_[A-Fa-f0-9]{{8}}"),
    ("Vault", rf"hv[sbr]\.{_W}{{24,}}"),
    ("Terraform", rf"{_A}{{14}}\.atlasv1\.{_W}{{60,}}"),
    ("Doppler", rf"dp\.(?:pt|st|ct|scim|audit)\.(?:[a-z0-9_-]{{2,40}}\.)?{_A}{{40,44}}"),
    ("Pulumi", r"pul-[a-f0-9]{40}"),
    ("Postman", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("New Relic", r"NRAK-[A-Z0-9]{27}"),
    ("Sentry", r"sntry[su]_[A-Za-z0-9+/=_]{60,}"),
    ("Airtable", rf"pat{_A}{{14}}\.[a-f0-9]{{64}}"),
    ("Figma", rf"fig[dou]_{_W}{{38,}}"),
    ("Supabase", rf"sb(?:p_[a-f0-9]{{40}}|_secret_{_W}{{20,}})"),
    ("PlanetScale", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9=._-]{32,}"),
    ("Netlify", rf"nfp_{_A}{{36}}"),
    ("Tailscale", r"tskey-[a-z]+-[A-Za-z0-9-]{20,}"),
    ("1Password", r"ops_eyJ[A-Za-z0-9+/=_-]{100,}"),
    ("age", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
)

_ANY = linear(("(?:^|[^A-Za-z0-9])(" + "|".join(pattern for _, pattern in FORMATS) + ")").encode())
# sk-learn-…, sk-aaaaaaaa: a key has been drawn by lot, a word has not.
_DRAWN = re.compile(rb"\d")


def keys(text: Text) -> Iterator[Find]:
    """Every key of a published format; not what stands in a manual, sk-xxxxxxxx."""
    for match in text.each(_ANY, text.view):
        if len(set(match[1][-16:])) > 4 and (_DRAWN.search(match[1]) or match[1].startswith(b"hf_")):
            yield Find(match.start(1), match.end(1), "SECRET", match[1])


DETECTORS = (Detector("key", tuple(pattern.encode() for _, pattern in FORMATS), keys, cased=True),)
