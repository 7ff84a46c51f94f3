"""The loop on a face, step by step, and all its steps in one image."""

import napari_diffusion as nd
from napari_diffusion.io import contact_sheet, panel, shown_range, step_label
from napari_diffusion.samples import SAMPLES

face = SAMPLES["face"]()
recipe = nd.Recipe.from_dict(face.recipe)  # that of the documentation
print(recipe)

panels = [panel("the face", face.image, face.axes, rgb=True)]
for step in nd.steps(face.image, recipe, axes=face.axes, rgb=True):
    label = step_label(step.index, step.noise_scale, step.is_final)
    panels.append(panel(label, step.image, face.axes, rgb=True))
    print(f"{label}: values from {step.image.min():.0f} to {step.image.max():.0f}")

contact_sheet(panels, shown_range(face.image, rgb=True)).save("steps.png")
print("steps.png: all of them side by side")
