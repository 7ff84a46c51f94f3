"""The loop on a face, step by step, and all its steps in one image."""

import napari_diffusion as nd
from napari_diffusion.io import contact_sheet, panel, shown_range, step_label
from napari_diffusion.samples import SAMPLES

face = SAMPLES["face"]()
recipe = nd.Recipe(
    num_steps=8,
    starting_noise_scale=10.0,  # in grey levels; "auto" is the noise that the image has
    noise=nd.noise.Gaussian(),
    schedule=nd.schedules.Geometric(end=0.1),
    diffusion_filter=nd.filters.PeronaMalik(contrast="auto", time=1.0),
    final_filter=nd.filters.Heat(time=0.5),
    seed=0,
)

panels = [panel("the face", face.image, face.axes, rgb=True)]
for step in nd.steps(face.image, recipe, axes=face.axes, rgb=True):
    label = step_label(step.index, step.noise_scale, step.is_final)
    panels.append(panel(label, step.image, face.axes, rgb=True))
    print(f"{label}: values from {step.image.min():.0f} to {step.image.max():.0f}")

contact_sheet(panels, shown_range(face.image, rgb=True)).save("steps.png")
print("steps.png: all of them side by side")
